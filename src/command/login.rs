//! `kesako login` and `kesako logout`: who the user is to a registry, in the same file as Docker's.

use super::Verb;
use crate::output::{put, say, warn};
use crate::session::Session;
use crate::terminal;
use ::registry::credentials::{File, host_of, key_of_host};
use ::registry::{Credentials, Error};
use engine::api::LoginAnswer;
use std::io::{self, BufRead, IsTerminal, Read};

/// Authenticate to a registry
#[derive(Debug, clap::Args)]
pub(super) struct Login {
    /// Password or Personal Access Token (PAT)
    #[arg(short, long)]
    password: Option<String>,
    /// Take the Password or Personal Access Token (PAT) from stdin
    #[arg(long)]
    password_stdin: bool,
    /// Username
    #[arg(short, long)]
    username: Option<String>,
    server: Option<String>,
}

/// Log out from a registry
#[derive(Debug, clap::Args)]
pub(super) struct Logout {
    server: Option<String>,
}

impl Verb for Login {
    async fn run(mut self, session: Session) -> anyhow::Result<()> {
        if self.password.is_some() && self.password_stdin {
            anyhow::bail!("conflicting options: cannot specify both --password and --password-stdin");
        }
        if self.password.is_some() {
            warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
        }
        if self.username.as_deref() == Some("") {
            anyhow::bail!("username is empty");
        }
        if self.password_stdin {
            if self.username.as_deref().unwrap_or_default().is_empty() {
                anyhow::bail!("the --password-stdin option requires --username to be set");
            }
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            self.password = Some(text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r').to_owned());
        }
        let key = key(self.server.as_deref());
        let mut file = File::of_user()?;
        let client = session.connect()?;
        let ask = async |credentials: &Credentials| -> anyhow::Result<LoginAnswer> {
            Ok(client.post("/auth").body_json(credentials).json().await?)
        };

        let mut usual = String::new();
        // A program that fails here says so when it is to keep what it gets.
        let known = match file.get(&key) {
            Err(Error::Helper { .. }) => None,
            known => known?,
        };
        let known = known.filter(|_| self.username.is_none() && self.password.is_none());
        if let Some(known) = known {
            warn(format!(
                "Authenticating with existing credentials... [Username: {}]\n\n Info -> To login with a different account, \
                 run 'kesako logout' followed by 'kesako login'\n\n",
                known.username
            ));
            usual = known.username.clone();
            match ask(&known).await {
                Ok(answer) => return say(answer.status),
                Err(error) if !io::stdin().is_terminal() => return Err(error),
                Err(error) => warn(format!("Login did not succeed, error: {}", crate::session::message(&error))),
            }
        }
        let username = match self.username {
            Some(username) => username,
            None if usual.is_empty() => prompt("Username: ", false)?,
            // An empty line means the one in brackets.
            None => {
                Some(prompt(&format!("Username ({usual}): "), false)?).filter(|name| !name.is_empty()).unwrap_or(usual)
            }
        };
        if username.is_empty() {
            anyhow::bail!("username is required");
        }
        let password = match self.password {
            Some(password) => password,
            None => prompt("Password: ", true)?,
        };
        if password.is_empty() {
            anyhow::bail!("Error: Password Required");
        }
        let mut credentials = Credentials { username, password, serveraddress: key.clone(), ..Credentials::default() };
        let answer = ask(&credentials).await?;
        if !answer.identity_token.is_empty() {
            credentials.password = String::new();
            credentials.identitytoken = answer.identity_token;
        }
        let stored = file.store(&key, &credentials);
        if stored.map_err(|error| anyhow::anyhow!("Error saving credentials: {error}"))? {
            warn(format!(
                "\nWARNING! Your credentials are stored unencrypted in '{}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n",
                file.path().display()
            ));
        }
        say(answer.status)
    }
}

impl Verb for Logout {
    async fn run(self, _: Session) -> anyhow::Result<()> {
        let key = key(self.server.as_deref());
        say(format!("Removing login credentials for {key}"))?;
        match File::of_user()?.erase(&key) {
            Err(error @ Error::Helper { .. }) => warn(format!("WARNING: could not erase credentials:\n{key}: {error}")),
            erased => drop(erased?),
        }
        Ok(())
    }
}

/// Under which name the credentials of a server are kept; without one, Docker Hub's.
fn key(server: Option<&str>) -> String {
    let hub = key_of_host(::registry::HUB);
    match server {
        None | Some("") => hub.to_owned(),
        Some(server) if server == hub => hub.to_owned(),
        Some(server) => key_of_host(host_of(server)).to_owned(),
    }
}

/// Asks the user; what is secret is not shown.
fn prompt(question: &str, secret: bool) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        anyhow::bail!("Error: Cannot perform an interactive login from a non TTY device");
    }
    // Before it is asked: whoever types at once is not to be seen, or not to be heard.
    let silence = secret.then(terminal::Silence::enter).transpose()?;
    put(question)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    if silence.is_some() {
        // The key that ended it was not shown either.
        put("\n")?;
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

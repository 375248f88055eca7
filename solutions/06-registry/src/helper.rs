//! Programs that keep credentials: `docker-credential-NAME get|store|erase|list`, which speak JSON on their standard
//! streams (github.com/docker/docker-credential-helpers).

use crate::credentials::Credentials;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

/// The user name of a token that stands for user and password.
const TOKEN: &str = "<token>";
const NOT_FOUND: &str = "credentials not found in native keychain";

/// A program, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    program: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "ServerURL", default)]
    server_url: String,
    username: String,
    secret: String,
}

impl Helper {
    /// `secretservice` is the program `docker-credential-secretservice`.
    ///
    /// # Errors
    /// [`Error::Helper`] for a name that is a path.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let program = format!("docker-credential-{name}");
        match name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            true => Ok(Self { program }),
            false => Err(Error::Helper {
                step: "getting",
                why: format!("{program} is no name of a program"),
                said: String::new(),
            }),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Credentials>> {
        let answer = match self.call("get", key.as_bytes()) {
            Err(Error::Helper { said, .. }) if said.contains(NOT_FOUND) => return Ok(None),
            answer => answer?,
        };
        let found: Document = serde_json::from_slice(&answer).map_err(|error| failed("get", error, ""))?;
        let serveraddress = key.to_owned();
        Ok(Some(match found.username.as_str() {
            TOKEN => Credentials { identitytoken: found.secret, serveraddress, ..Credentials::default() },
            _ => Credentials {
                username: found.username,
                password: found.secret,
                serveraddress,
                ..Credentials::default()
            },
        }))
    }

    pub(crate) fn store(&self, key: &str, credentials: &Credentials) -> Result<()> {
        let (username, secret) = match credentials.identity_token() {
            Some(token) => (TOKEN, token),
            None => (credentials.username.as_str(), credentials.password.as_str()),
        };
        let document =
            Document { server_url: key.to_owned(), username: username.to_owned(), secret: secret.to_owned() };
        let document = serde_json::to_vec(&document).map_err(|error| failed("store", error, ""))?;
        self.call("store", &document).map(drop)
    }

    pub(crate) fn erase(&self, key: &str) -> Result<()> {
        match self.call("erase", key.as_bytes()) {
            Err(Error::Helper { said, .. }) if said.contains(NOT_FOUND) => Ok(()),
            answer => answer.map(drop),
        }
    }

    pub(crate) fn list(&self) -> Result<Vec<String>> {
        let found: BTreeMap<String, String> =
            serde_json::from_slice(&self.call("list", b"")?).map_err(|error| failed("list", error, ""))?;
        Ok(found.into_keys().collect())
    }

    fn call(&self, verb: &'static str, input: &[u8]) -> Result<Vec<u8>> {
        let mut child = Command::new(&self.program)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| match error.kind() {
                // In Go's words.
                ErrorKind::NotFound => {
                    failed(verb, format!("exec: {:?}: executable file not found in $PATH", self.program), "")
                }
                _ => failed(verb, format!("exec: {:?}: {error}", self.program), ""),
            })?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not listen says why in its answer.
            stdin.write_all(input).ok();
        }
        let output = child.wait_with_output().map_err(|error| failed(verb, error, ""))?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => {
                let why = match output.status.code() {
                    Some(code) => format!("exit status {code}"),
                    None => output.status.to_string(),
                };
                Err(failed(verb, why, String::from_utf8_lossy(&output.stdout).trim()))
            }
        }
    }
}

fn failed(verb: &str, why: impl ToString, said: &str) -> Error {
    let step = match verb {
        "store" => "storing",
        "erase" => "erasing",
        "list" => "listing",
        _ => "getting",
    };
    Error::Helper { step, why: why.to_string(), said: said.to_owned() }
}

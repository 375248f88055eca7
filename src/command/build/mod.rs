//! `kesako build`.
//!
//! ```text
//!   flags ── options ──┐           ┌─ own      a Kesako: events ── follow ── `progress`
//!   context ───────────┴─ a job ───┤
//!                                  └─ classic  a dockerd: its classic builder's words, as they come
//! ```

mod classic;
mod context;
mod fields;
mod flags;
mod follow;
mod options;
mod output;
mod own;
mod rare;
mod result;
mod secret;
mod shell;

use super::Verb;
use crate::failure::Exit;
use crate::output::say;
use crate::session::{self, Session};
use daemon::Client;
use engine::api::BuildOptions;
use std::path::PathBuf;
use std::rc::Rc;
use tokio::io::AsyncRead;

pub(super) use classic::build as build_classic;
pub(super) use context::{Dockerfile, find, place};
pub(super) use flags::Flags as Build;
pub(super) use follow::{Target, follow};
pub(super) use options::{EPOCH, context as named_context, epoch, host};
pub(super) use own::{report, told};
pub(super) use secret::{named as named_secret, secret, ssh};

/// Where a build's files come from.
pub(super) enum Context {
    /// A folder of this host.
    Folder(PathBuf),
    /// An archive, on standard input.
    Archive(Box<dyn AsyncRead + Send + Unpin>),
    /// No files at all: only a Dockerfile came, on standard input.
    Nothing,
    /// An archive, or a Dockerfile, at this address.
    Url(String),
}

/// All that is known before the engine is asked.
pub(super) struct Job {
    pub(super) client: Rc<Client>,
    pub(super) options: BuildOptions,
    pub(super) context: Context,
    /// What the `.dockerignore` beside a Dockerfile outside of the context says.
    pub(super) ignore: Option<String>,
    /// What only a classic builder has a use for, as parameters of its API.
    pub(super) classic: Vec<(&'static str, String)>,
}

impl Job {
    /// Says where the Dockerfile is.
    pub(super) fn set_dockerfile(&mut self, dockerfile: Dockerfile) {
        match dockerfile {
            Dockerfile::Within(path) => self.options.dockerfile = path,
            Dockerfile::Text { name, text, ignore } => {
                self.options.dockerfile_text = Some((name, text));
                self.ignore = ignore;
            }
        }
    }
}

impl Verb for Build {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = Rc::new(session.connect()?);
        if is_dockerd(&client).await? {
            classic::refuse_flags(&self)?;
            let mut job = prepare(&self, client).await?;
            job.classic = self.rare.classic()?;
            let id = classic::build(job, self.rm, self.quiet).await?;
            if self.quiet {
                say(&id)?;
            }
            return result::write(&self, &id);
        }
        let result = match prepare(&self, client).await {
            Ok(job) => own::build(job, &self, &session.globals).await,
            Err(error) => Err(error),
        };
        // As Docker marks what ends a build; an end that has its own words and its own code keeps them.
        result.map_err(|error| match error.downcast_ref::<Exit>() {
            Some(_) => error,
            None => Exit::with(1, format!("ERROR: {}", session::message(&error))),
        })
    }
}

/// Reads all that the command line names.
async fn prepare(flags: &Build, client: Rc<Client>) -> anyhow::Result<Job> {
    let options = flags.options()?;
    if flags.debug_shell && !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        anyhow::bail!("--debug-shell: the input device is not a TTY");
    }
    // An old file must not be taken for the answer of a build that fails.
    result::forget(flags)?;
    let (context, dockerfile) = context::find(&flags.context, flags.file.as_deref()).await?;
    let mut job = Job { client, options, context, ignore: None, classic: Vec::new() };
    job.set_dockerfile(dockerfile);
    Ok(job)
}

/// Whether there is no Kesako on the other side.
pub(super) async fn is_dockerd(client: &Client) -> anyhow::Result<bool> {
    if client.host().is_none() {
        return Ok(false);
    }
    let answer = client.get("/_ping").response().await?;
    Ok(!answer.header("server").unwrap_or_default().starts_with("Kesako/"))
}

//! `kesako build`.
//!
//! ```text
//!   flags ── options ──┐                        ┌─ own      a Kesako: events, shown by `progress`
//!   context ───────────┴─ what is to be built ──┤
//!                                               └─ classic  a dockerd: its classic builder's words, as they come
//! ```

mod classic;
mod context;
mod fields;
mod flags;
mod options;
mod output;
mod own;
mod rare;
mod result;
mod secret;
mod shell;

use super::Verb;
use crate::failure::Exit;
use crate::globals::Globals;
use crate::session::{self, Session};
use context::{Context, Dockerfile};
use daemon::Client;
use engine::api::BuildOptions;
pub(super) use flags::Flags as Build;
use std::rc::Rc;

/// All that is known before the engine is asked.
struct Job {
    client: Rc<Client>,
    options: BuildOptions,
    context: Context,
    /// What the `.dockerignore` beside a Dockerfile outside of the context says.
    ignore: Option<String>,
    flags: Build,
    globals: Globals,
}

impl Verb for Build {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = Rc::new(session.connect()?);
        let is_dockerd = is_dockerd(&client).await?;
        let job = prepare(self, client, session.globals);
        if is_dockerd {
            return classic::build(job.await?).await;
        }
        let result = match job.await {
            Ok(job) => own::build(job).await,
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
async fn prepare(flags: Build, client: Rc<Client>, globals: Globals) -> anyhow::Result<Job> {
    let mut options = flags.options()?;
    if flags.debug_shell && !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        anyhow::bail!("--debug-shell: the input device is not a TTY");
    }
    // An old file must not be taken for the answer of a build that fails.
    result::forget(&flags)?;
    let (context, dockerfile) = context::find(&flags.context, flags.file.as_deref()).await?;
    let mut ignored = None;
    match dockerfile {
        Dockerfile::Within(path) => options.dockerfile = path,
        Dockerfile::Text { name, text, ignore } => {
            options.dockerfile_text = Some((name, text));
            ignored = ignore;
        }
    }
    Ok(Job { client, options, context, ignore: ignored, flags, globals })
}

/// Whether there is no Kesako on the other side.
async fn is_dockerd(client: &Client) -> anyhow::Result<bool> {
    if client.host().is_none() {
        return Ok(false);
    }
    let answer = client.get("/_ping").response().await?;
    Ok(!answer.header("server").unwrap_or_default().starts_with("Kesako/"))
}

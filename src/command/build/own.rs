//! A build by Kesako, in this process or behind a socket.

use super::flags::Flags;
use super::follow::{End, Target, follow};
use super::{Job, result, shell};
use crate::failure::Exit;
use crate::globals::Globals;
use crate::output::{put, say, warn};
use crate::progress::{Mode, Progress};

pub(super) async fn build(job: Job, flags: &Flags, globals: &Globals) -> anyhow::Result<()> {
    flags.rare.refuse()?;
    if !flags.rm {
        anyhow::bail!("--rm=false: not supported: there are no intermediate containers that could be kept");
    }
    let mode = match flags.progress.as_str() {
        _ if flags.quiet => Mode::Quiet,
        // What is told between two pictures would be drawn over.
        "auto" if globals.explain => Mode::Plain,
        progress => Mode::choose(progress)?,
    };
    let (client, check) = (job.client.clone(), job.options.check);
    let mut progress = Progress::new(mode);
    let ended = follow(vec![Target::only(job)], &mut progress).await;
    progress.end(globals.debug).await?;
    match ended {
        Ok(_) if check => report(&progress),
        Ok(built) => {
            let id = built.into_values().next().unwrap_or_default();
            result::write(flags, &id)?;
            match mode {
                Mode::Quiet if !id.is_empty() => say(id),
                _ => Ok(()),
            }
        }
        Err(end) => {
            if let Some(image) = progress.kept() {
                shell::open(&client, image).await?;
            }
            Err(told(end, "ERROR: "))
        }
    }
}

/// Shows the lines of the Dockerfile that the error is about, and makes the error what ends the command.
pub(in crate::command) fn told(end: End, mark: &str) -> anyhow::Error {
    match end {
        End::Interrupted => Exit::with(INTERRUPTED, format!("{mark}failed to solve: Canceled: context canceled")),
        End::Failed { target, why, lines } => {
            if let Some(lines) = lines {
                warn(lines.trim_end());
            }
            let target = if target.is_empty() { target } else { format!("target {target}: ") };
            Exit::with(1, format!("{mark}{target}failed to solve: {why}"))
        }
    }
}

/// The code of a process that SIGINT ended.
const INTERRUPTED: i32 = 128 + 2;

/// What `--check` found.
pub(in crate::command) fn report(progress: &Progress) -> anyhow::Result<()> {
    let (count, text) = progress.report();
    match count {
        0 => return say("Check complete, no warnings found."),
        1 => say("Check complete, 1 warning has been found!")?,
        n => say(format!("Check complete, {n} warnings have been found!"))?,
    }
    put(text)?;
    Err(Exit::with(1, ""))
}

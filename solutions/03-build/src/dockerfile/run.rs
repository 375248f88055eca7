//! RUN.

use super::flags::Flags;
use super::heredoc::{self, Body};
use super::line::Arguments;
use super::mount;
use crate::instruction::{Command, Heredoc, Network, Run};

pub(super) fn read(arguments: &Arguments, flags: &Flags, bodies: &[Body]) -> Result<Run, String> {
    let command = match arguments {
        Arguments::Exec(words) => Command::Exec(words.clone()),
        Arguments::Text(text) => Command::Shell(text.clone()),
        _ => Command::Shell(String::new()),
    };
    let mounts = flags.texts("mount").map(mount::read).collect::<Result<_, _>>()?;
    let network = network(flags)?;
    security(flags)?;
    if flags.text("device").is_some() {
        return Err("RUN --device is not supported: a build has no devices of the host".to_owned());
    }
    let run = Run { command, heredocs: Vec::new(), mounts, network };
    Ok(with_heredocs(run, bodies))
}

/// Puts the heredocs where they are needed. A command that is nothing but one is the heredoc itself: a program if it
/// says with which interpreter, else lines for the shell. In all others it is the shell's to read, so it gets them as they are
/// written.
fn with_heredocs(mut run: Run, bodies: &[Body]) -> Run {
    let (Command::Shell(text), [first, ..]) = (&run.command, bodies) else { return run };
    if heredoc::announcement(text).is_ok_and(|word| word.is_some()) {
        let content = first.content();
        if content.starts_with("#!") {
            run.heredocs.push(Heredoc { name: first.name.clone(), content, expand: false });
        } else {
            run.command = Command::Shell(content);
        }
    } else {
        let lines: String = bodies.iter().map(|body| format!("\n{}{}", body.lines, body.name)).collect();
        run.command = Command::Shell(format!("{text}{lines}"));
    }
    run
}

/// How a RUN is called that is nothing but a heredoc: with its first line.
pub(super) fn summary(arguments: &Arguments, bodies: &[Body]) -> Option<String> {
    let (Arguments::Text(text), [first, ..]) = (arguments, bodies) else { return None };
    heredoc::announcement(text).ok()??;
    let mut lines = first.lines.trim().lines();
    let line = lines.next().unwrap_or_default();
    Some(format!("({line}{})", if lines.next().is_some() { "..." } else { "" }))
}

fn network(flags: &Flags) -> Result<Network, String> {
    match flags.text("network") {
        None | Some("default") => Ok(Network::Default),
        Some("none") => Ok(Network::None),
        Some("host") => Ok(Network::Host),
        Some(other) => Err(format!("invalid network mode {other:?}")),
    }
}

fn security(flags: &Flags) -> Result<(), String> {
    match flags.text("security") {
        None | Some("sandbox") => Ok(()),
        Some("insecure") => Err("security.insecure is not allowed: a build is never privileged".to_owned()),
        Some(other) => Err(format!("security {other:?} is not valid")),
    }
}

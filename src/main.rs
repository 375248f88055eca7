//! The `kesako` command: it reads its arguments, talks to the Engine API, and prints. What a container is, it does not
//! know; the engine does, which without `-H` runs in this same process.
//!
//! `main` → [`run`] → one look in [`command::COMMANDS`], where each command is a file of its own.

#![forbid(unsafe_code)]
// A program has no outside: `pub` here means "for the other modules".
#![allow(unreachable_pub)]

mod arguments;
mod command;
mod complete;
mod explain;
mod failure;
mod flags;
mod format;
mod globals;
mod help;
mod output;
mod progress;
mod session;
mod terminal;
mod transfer;

use failure::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    engine::be_shim_if_called_so();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

/// Reads the command line, finds the command, runs it.
fn run() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let (globals, words) = globals::parse(&command::compose_words(words))?;
    explain::start(globals.explain, globals.debug);
    // While there is one thread: this process may have to become root of a user namespace.
    engine::bootstrap(globals.root.as_deref()).map_err(|error| Exit::with(125, format!("kesako: {error}")))?;
    let (entry, path, rest) = command::find(&words)?;
    let matches = arguments::parse((entry.arguments)(entry), &path, rest)?;
    (entry.execute)(&matches, session::Session::new(globals))
}

/// Tells why, and with which code: help was asked for when the code is 0.
fn report(error: &anyhow::Error) -> ExitCode {
    let (code, text) = match error.downcast_ref::<Exit>() {
        Some(exit) => (exit.code, exit.text.clone()),
        None => (1, session::message(error)),
    };
    match (code, text.is_empty()) {
        (_, true) => {}
        // Nobody left to tell is no failure of help.
        (0, false) => drop(output::say(text)),
        (_, false) => output::warn(text),
    }
    ExitCode::from((code & 0xff) as u8)
}

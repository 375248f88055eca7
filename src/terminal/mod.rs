//! The terminal that the command was started from: its size, its raw mode, and what flows between it and a container.

mod copy;
mod keys;
mod signals;

pub use copy::{End, Streams, Writer, copy, raw, read_escape_sequence};
pub use keys::DetachKeys;
pub use signals::{Claim, end_unless_claimed, follow_size, out_of_patience, proxy};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{IsTerminal, Stdin, stdin};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// In characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub height: u16,
    pub width: u16,
}

/// The size of the terminal behind a descriptor, if it is one (`ioctl_tty(2)`, TIOCGWINSZ).
pub fn size_of(of: &impl AsFd) -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    Some(Size { height: size.ws_row, width: size.ws_col })
}

/// `-it` makes sense only when there is a terminal to read from.
pub fn check(attach_stdin: bool, tty: bool) -> anyhow::Result<()> {
    if attach_stdin && tty && !stdin().is_terminal() {
        anyhow::bail!("the input device is not a TTY");
    }
    Ok(())
}

/// A terminal that does not show what is typed, for a password. Dropping it puts it back as it was.
#[derive(Debug)]
pub struct Silence {
    before: Termios,
}

impl Silence {
    pub fn enter() -> anyhow::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to put back.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

static RAW: AtomicBool = AtomicBool::new(false);

/// Whether the terminal is raw at the moment.
pub fn is_raw() -> bool {
    RAW.load(Relaxed)
}

/// A terminal in raw mode: every key goes to the container, which has a terminal of its own to make sense of it.
/// Dropping it puts the terminal back as it was.
#[derive(Debug)]
pub struct RawMode {
    stdin: Stdin,
    before: Termios,
}

impl RawMode {
    /// None when standard input is no terminal.
    pub fn enter() -> anyhow::Result<Option<Self>> {
        let stdin = stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw)?;
        tracing::info!(target: "explain", man = "termios(3)", shell = "stty raw -echo",
            "the terminal hands over every key as it is");
        RAW.store(true, Relaxed);
        Ok(Some(Self { stdin, before }))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to put back.
        let _ = tcsetattr(&self.stdin, OptionalActions::Now, &self.before);
        RAW.store(false, Relaxed);
    }
}

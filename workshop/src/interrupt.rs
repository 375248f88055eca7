//! Ctrl-C and its like. A suite has a process group of its own, of which the terminal does not know: so it is ended by us.

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn groups() -> MutexGuard<'static, Vec<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on a signal that ends us ends those groups, too.
pub fn watch() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            groups().iter().for_each(|group| kill(*group));
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// A process group that is to end with us, as long as this lives.
pub struct Group(u32);

impl Group {
    pub fn of(leader: u32) -> Self {
        groups().push(leader);
        Self(leader)
    }

    /// Ends it.
    pub fn kill(&self) {
        kill(self.0);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        groups().retain(|group| *group != self.0);
    }
}

fn kill(group: u32) {
    // It may be gone already.
    let _gone = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status();
}

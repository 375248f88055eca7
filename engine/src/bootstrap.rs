//! What a process does before anything else.

use crate::Result;

/// To be called first thing in `main`, while single-threaded. Never returns when this process was started as a shim
/// (argv says so). As an ordinary user, enters a user and mount namespace in which it is root.
pub fn bootstrap() -> Result<()> {
    todo!()
}

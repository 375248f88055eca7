//! A user namespace for an ordinary user, in which they are root.
#![allow(clippy::todo)]

use crate::Result;

/// Puts this single-threaded process into a new user and mount namespace, with the user as root of it.
pub fn enter() -> Result<()> {
    todo!()
}

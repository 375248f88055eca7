//! Signals by name and number.
#![allow(clippy::todo, unused_variables)]

use crate::Result;

/// `SIGTERM`, `term`, `15`, `RTMIN+3`: as `docker kill -s` takes them.
pub fn parse(text: &str) -> Result<i32> {
    todo!()
}

/// `SIGTERM` for 15.
pub fn name(number: i32) -> Option<String> {
    todo!()
}

//! `--progress quiet`: nothing is shown.

use super::Display;
use super::trace::Trace;
use engine::api::progress::Event;
use std::time::Instant;

pub(super) struct Quiet;

impl Display for Quiet {
    fn told(&mut self, _: &Trace, _: &Event, _: Instant, _: &mut String) {}
    fn tick(&mut self, _: &Trace, _: Instant, _: &mut String) {}
    fn end(&mut self, _: &Trace, _: Instant, _: &mut String) {}
}

//! `--explain`: tells what is done while it is done. The telling is done where the doing is, in whatever crate: an event
//! with the target `explain`, its man page, and the shell command that would do the same. Here they become lines.

use colored::Colorize;
use std::fmt::Debug;
use std::io::{IsTerminal, Write};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

/// From now on, steps are told on standard error, in colour if that is a terminal.
pub fn start() {
    colored::control::set_override(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // Only a second call could fail, and there is none.
    let _ = tracing::subscriber::set_global_default(Narrator);
}

#[derive(Debug)]
struct Narrator;

/// What a step says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    what: String,
    man: String,
    shell: String,
}

impl Step {
    /// `· what is being done   clone(2)   $ unshare --pid`.
    fn line(&self) -> String {
        let mut line = format!("{} {}", "·".cyan(), self.what);
        if !self.man.is_empty() {
            line += &format!("   {}", self.man.bright_black());
        }
        if !self.shell.is_empty() {
            line += &format!("   {}", format!("$ {}", self.shell).green());
        }
        line
    }
}

impl Visit for Step {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.what),
            "man" => value.clone_into(&mut self.man),
            "shell" => value.clone_into(&mut self.shell),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl Subscriber for Narrator {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "explain"
    }

    fn event(&self, event: &Event<'_>) {
        let mut step = Step::default();
        event.record(&mut step);
        // Nobody may be reading; the work goes on. In one write, so that lines of several threads do not mix. In a raw terminal a line feed does not return.
        let end = if crate::terminal::is_raw() { "\r\n" } else { "\n" };
        let _ = write!(std::io::stderr(), "{}{end}", step.line());
    }

    // There are no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_line() {
        colored::control::set_override(false);
        let step = Step { what: "a new PID namespace".into(), man: "clone(2)".into(), shell: "unshare --pid".into() };
        assert_eq!(step.line(), "· a new PID namespace   clone(2)   $ unshare --pid");
    }
}

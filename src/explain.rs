//! What the crates below us tell while they work, each where the work is done, as events of `tracing`. Here they become
//! lines on standard error: with `--explain` the steps, each with its manual page and the shell command that would do
//! the same; warnings always; and with `-D` what else there is to say.

use colored::Colorize;
use engine::explain::{TARGET, Told};
use std::io::{IsTerminal, Write};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// From now on all of it is told, in colour if standard error is a terminal.
pub fn start(steps: bool, debug: bool) {
    colored::control::set_override(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // Only a second call could fail, and there is none.
    let _ = tracing::subscriber::set_global_default(Narrator { steps, debug });
}

#[derive(Debug)]
struct Narrator {
    steps: bool,
    debug: bool,
}

/// `· what is being done   clone(2)   $ unshare --pid`.
fn step(told: &Told) -> String {
    let mut line = format!("{} {}", "·".cyan(), told.text);
    if !told.man.is_empty() {
        line += &format!("   {}", told.man.bright_black());
    }
    if !told.shell.is_empty() {
        line += &format!("   {}", format!("$ {}", told.shell).green());
    }
    line
}

impl Subscriber for Narrator {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.target() {
            TARGET => self.steps,
            // The more there is to it, the smaller its level.
            _ => *metadata.level() <= if self.debug { Level::DEBUG } else { Level::WARN },
        }
    }

    /// What is less than this is never even asked about: the whole narration costs a comparison where nobody wants it.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match (self.debug, self.steps) {
            (true, _) => LevelFilter::DEBUG,
            (false, true) => LevelFilter::INFO,
            (false, false) => LevelFilter::WARN,
        })
    }

    fn event(&self, event: &Event<'_>) {
        let mut told = Told::default();
        event.record(&mut told);
        let line = match *event.metadata().level() {
            _ if event.metadata().target() == TARGET => step(&told),
            Level::ERROR | Level::WARN => format!("WARNING: {}", told.text),
            level => format!("{level}: {}", told.text),
        };
        // Nobody may be reading; the work goes on. In one write, so that lines of several threads do not mix. In a raw
        // terminal a line feed does not return.
        let end = if crate::terminal::is_raw() { "\r\n" } else { "\n" };
        let _ = write!(std::io::stderr(), "{line}{end}");
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
        let told = Told {
            man: "clone(2)".into(),
            shell: "unshare --pid".into(),
            text: "a new PID namespace".into(),
            warning: false,
        };
        assert_eq!(step(&told), "· a new PID namespace   clone(2)   $ unshare --pid");
    }
}

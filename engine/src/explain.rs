//! `--explain` across processes: the shim tells its share to whoever asked it for something, who tells it on.
//!
//! Everywhere in Kesako the narration is a `tracing` event of the target `explain`, sent by the function that does the
//! thing. In the shim nobody looks at a terminal, so a subscriber collects those events, and they travel before the
//! answer. So do warnings, whether somebody wants explanations or not.

use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The target of the events that tell a step. (They write it out: the macros of `tracing` want it so.)
pub const TARGET: &str = "explain";

/// What an event says: of a step, of which it says all three, or of something else, of which there is only the text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The manual page to read about it.
    pub man: String,
    /// The shell command that would do the same.
    pub shell: String,
    /// What is being done, in one line.
    pub text: String,
    /// It is no step, but something that its reader should know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
}

impl Told {
    /// Tells it again, here.
    pub(crate) fn tell(&self) {
        if self.warning {
            return tracing::warn!("{}", self.text);
        }
        tracing::info!(target: "explain", man = self.man.as_str(), shell = self.shell.as_str(), "{}", self.text);
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}"));
    }
}

impl Told {
    fn set(&mut self, field: &Field, value: String) {
        match field.name() {
            "man" => self.man = value,
            "shell" => self.shell = value,
            "message" => self.text = value,
            _ => {}
        }
    }
}

/// Whether somebody listens in this process.
pub(crate) fn wanted() -> bool {
    tracing::enabled!(target: "explain", tracing::Level::INFO)
}

/// Whether anything is being done for somebody, and whether they want it explained.
static AT_WORK: AtomicBool = AtomicBool::new(false);
static LISTENING: AtomicBool = AtomicBool::new(false);
static COLLECTED: Mutex<Vec<Told>> = Mutex::new(Vec::new());

/// Runs `work`, and returns the warnings that were given during it; if `listen`, also what was explained.
pub(crate) fn during<T>(listen: bool, work: impl FnOnce() -> T) -> (T, Vec<Told>) {
    // The second call finds the subscriber in its place: that is not a failure.
    let _already = tracing::subscriber::set_global_default(Collector);
    AT_WORK.store(true, Relaxed);
    LISTENING.store(listen, Relaxed);
    let result = work();
    LISTENING.store(false, Relaxed);
    AT_WORK.store(false, Relaxed);
    (result, std::mem::take(&mut *COLLECTED.lock().unwrap_or_else(PoisonError::into_inner)))
}

struct Collector;

impl Subscriber for Collector {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // "Sometimes": `enabled` is asked again at each event, for listening comes and goes.
        if metadata.target() == TARGET || *metadata.level() == Level::WARN {
            tracing::subscriber::Interest::sometimes()
        } else {
            tracing::subscriber::Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.target() {
            TARGET => LISTENING.load(Relaxed),
            _ => *metadata.level() == Level::WARN && AT_WORK.load(Relaxed),
        }
    }

    fn event(&self, event: &Event<'_>) {
        let mut told = Told { warning: event.metadata().target() != TARGET, ..Told::default() };
        event.record(&mut told);
        COLLECTED.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }

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
    fn what_is_explained_is_collected_for_who_listens_and_warnings_for_everybody() {
        let tell = || {
            tracing::info!(target: "explain", man = "clone(2)", shell = "unshare", "a {}", "namespace");
            tracing::warn!("something {}", "remains");
            tracing::info!("by the way");
        };
        let text = |text: &str, warning| Told { text: text.into(), warning, ..Told::default() };
        let step = Told { man: "clone(2)".into(), shell: "unshare".into(), ..text("a namespace", false) };
        let warning = text("something remains", true);
        tell();
        let ((), told) = during(true, tell);
        assert_eq!(told, [step, warning.clone()]);
        let ((), told) = during(false, tell);
        assert_eq!(told, [warning]);
    }
}

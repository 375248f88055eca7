//! What is done to a project, as a person reads it: live on a terminal, else line by line, on standard error.

mod live;

use crate::output::warn;
use ::compose::steps::{Part, Report, State, Step};
use live::Live;
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;

/// `--progress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Tty,
    Plain,
    Json,
    Quiet,
}

impl Mode {
    /// Reads the flag.
    pub fn choose(flag: &str) -> anyhow::Result<Self> {
        let can_move = || std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        match flag {
            "" | "auto" if std::io::IsTerminal::is_terminal(&std::io::stderr()) && can_move() => Ok(Self::Tty),
            "" | "auto" | "plain" => Ok(Self::Plain),
            "tty" => Ok(Self::Tty),
            "json" => Ok(Self::Json),
            "quiet" => Ok(Self::Quiet),
            other => anyhow::bail!("unsupported --progress value {other:?}: auto, tty, plain, json or quiet"),
        }
    }
}

/// Tells it. [`end`](Self::end) leaves the last state on the terminal; what comes after is told line by line.
pub struct Steps {
    mode: Mode,
    live: RefCell<Option<Rc<Live>>>,
}

impl Steps {
    /// `what` is the command, for the heading. Must be called inside a `LocalSet`.
    pub fn new(mode: Mode, what: &str) -> Self {
        let live = (mode == Mode::Tty).then(|| Live::start(what));
        Self { mode, live: RefCell::new(live) }
    }

    /// There is nothing more to come that should stay in one place.
    pub fn end(&self) {
        if let Some(live) = self.live.take() {
            live.end();
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.end();
    }
}

impl Report for Steps {
    fn step(&self, step: Step) {
        if let Some(live) = &*self.live.borrow() {
            return live.step(step);
        }
        let text = match self.mode {
            Mode::Quiet => return,
            Mode::Json => line_of_json(&step),
            Mode::Tty | Mode::Plain => format!(" {} {} {}", step.object, step.text, step.details).trim_end().to_owned(),
        };
        warn(text);
    }

    fn part(&self, object: &str, part: Part) {
        if let Some(live) = &*self.live.borrow() {
            return live.part(object, part);
        }
        match self.mode {
            // A bar is for who sees it move.
            Mode::Tty | Mode::Plain if part.total == 0 => warn(format!(" {} {}", part.id, part.text)),
            Mode::Json => warn(part_of_json(object, &part)),
            Mode::Quiet | Mode::Tty | Mode::Plain => {}
        }
    }
}

/// As docker compose writes it.
fn line_of_json(step: &Step) -> String {
    let status = match step.state {
        State::Working => "Working",
        State::Done => "Done",
        State::Warning => "Warning",
        State::Failed => "Error",
    };
    let mut line = json!({"id": step.object, "status": status, "text": step.text});
    if !step.details.is_empty() {
        line["details"] = step.details.as_str().into();
    }
    line.to_string()
}

fn part_of_json(object: &str, part: &Part) -> String {
    let status = if part.done { "Done" } else { "Working" };
    let mut line = json!({"id": part.id, "parent_id": object, "status": status, "text": part.text});
    if part.total > 0 {
        line["current"] = part.current.into();
        line["total"] = part.total.into();
        line["percent"] = (part.current.min(part.total) * 100 / part.total).into();
    }
    line.to_string()
}

//! What has happened in a build so far.

use engine::api::Source;
use engine::api::progress::Event;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::time::Instant;

/// All of a build that is told.
pub(super) struct Trace {
    pub(super) began: Instant,
    /// In the order in which they began.
    pub(super) steps: Vec<Step>,
    pub(super) warnings: Vec<Warning>,
    pub(super) dockerfile: Option<Source>,
    pub(super) kept: Option<String>,
    places: HashMap<usize, usize>,
    /// So many lines of a step's output are kept.
    lines_kept: usize,
}

/// One step.
pub(super) struct Step {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) began: Instant,
    pub(super) end: Option<End>,
    pub(super) notes: Vec<Note>,
    /// Why it was or was not reused.
    pub(super) reasons: Vec<String>,
    pub(super) log: Log,
}

/// How a step ended, and after how many seconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Done(f64),
    Cached,
    Failed(f64, String),
    Cancelled(f64),
}

/// How far a part of a step is.
pub(super) struct Note {
    pub(super) what: String,
    pub(super) current: u64,
    pub(super) total: Option<u64>,
    pub(super) began: Instant,
    pub(super) ended: Option<Instant>,
}

/// What a step's command wrote last: whole lines, each after the seconds since the step began.
#[derive(Default)]
pub(super) struct Log {
    pub(super) lines: VecDeque<String>,
    /// A line without its end yet.
    pub(super) partial: Option<String>,
}

/// A build check.
pub(super) struct Warning {
    /// The rule and what it says, and the line.
    pub(super) short: String,
    pub(super) rule: String,
    pub(super) message: String,
    pub(super) url: String,
    pub(super) line: usize,
}

impl Trace {
    pub(super) fn new(now: Instant, lines_kept: usize) -> Self {
        Self {
            began: now,
            steps: Vec::new(),
            warnings: Vec::new(),
            dockerfile: None,
            kept: None,
            places: HashMap::new(),
            lines_kept,
        }
    }

    pub(super) fn step(&self, id: usize) -> Option<&Step> {
        self.places.get(&id).map(|place| &self.steps[*place])
    }

    pub(super) fn told(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Dockerfile { file, text } => {
                self.dockerfile = Some(Source { name: file.clone(), text: text.clone() });
            }
            Event::Kept { image } => self.kept = Some(image.clone()),
            Event::Warning { rule, message, url, line, .. } => self.warnings.push(Warning {
                short: short(rule, message, *line),
                rule: rule.clone(),
                message: message.clone(),
                url: url.clone(),
                line: *line,
            }),
            Event::Step { id, name } => {
                self.places.insert(*id, self.steps.len());
                self.steps.push(Step::new(*id, name, now));
            }
            Event::Cached { id } => self.ended(*id, End::Cached, now),
            Event::Done { id, seconds } => self.ended(*id, End::Done(*seconds), now),
            // A step that was broken off is not to blame.
            Event::Failed { id, seconds, error } if error.ends_with("context canceled") => {
                self.ended(*id, End::Cancelled(*seconds), now);
            }
            Event::Failed { id, seconds, error } => self.ended(*id, End::Failed(*seconds, error.clone()), now),
            Event::Reason { id, text } => self.with(*id, |step| step.reasons.push(text.clone())),
            Event::Status { id, what, current, total } => {
                self.with(*id, |step| step.note(what, *current, *total, now));
            }
            Event::Output { id, text, .. } => {
                let kept = self.lines_kept;
                self.with(*id, |step| step.log.add(text, now.duration_since(step.began).as_secs_f64(), kept));
            }
            Event::Fault { .. }
            | Event::Plan { .. }
            | Event::Triggers { .. }
            | Event::Reached { .. }
            | Event::Made { .. }
            | Event::Begun { .. }
            | Event::Exited { .. } => {}
        }
    }

    /// The build is over: what has not ended was cut off.
    pub(super) fn end(&mut self, now: Instant) {
        for step in self.steps.iter_mut().filter(|step| step.end.is_none()) {
            step.ended(End::Cancelled(now.duration_since(step.began).as_secs_f64()), now);
        }
    }

    /// What the steps that failed wrote last.
    pub(super) fn failures(&self, out: &mut String) {
        for step in self.steps.iter().filter(|step| matches!(step.end, Some(End::Failed(..)))) {
            let lines: String = step.log.lines.iter().map(|line| format!("{line}\n")).collect();
            // Writing to a text cannot fail.
            let _ = write!(out, "------\n > {}:\n{lines}------\n", step.name);
        }
    }

    fn with(&mut self, id: usize, change: impl FnOnce(&mut Step)) {
        if let Some(place) = self.places.get(&id) {
            change(&mut self.steps[*place]);
        }
    }

    fn ended(&mut self, id: usize, end: End, now: Instant) {
        self.with(id, |step| step.ended(end, now));
    }
}

/// `FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)`.
fn short(rule: &str, message: &str, line: usize) -> String {
    let rule = if rule.is_empty() { String::new() } else { format!("{rule}: ") };
    let line = if line == 0 { String::new() } else { format!(" (line {line})") };
    format!("{rule}{message}{line}")
}

impl Step {
    fn new(id: usize, name: &str, now: Instant) -> Self {
        let name = name.replace('\t', " ");
        Self { id, name, began: now, end: None, notes: Vec::new(), reasons: Vec::new(), log: Log::default() }
    }

    /// Whether it is the one that warnings are told of.
    pub(super) fn reads_dockerfile(&self) -> bool {
        // Among several builds it has the name of its own before it.
        self.name.starts_with('[') && self.name.contains("internal] load build definition")
    }

    /// How long it has taken, or took.
    pub(super) fn seconds(&self, now: Instant) -> f64 {
        match self.end {
            Some(End::Done(seconds) | End::Failed(seconds, _) | End::Cancelled(seconds)) => seconds,
            Some(End::Cached) => 0.0,
            None => now.duration_since(self.began).as_secs_f64(),
        }
    }

    fn note(&mut self, what: &str, current: u64, total: Option<u64>, now: Instant) {
        match self.notes.iter_mut().find(|note| note.what == what) {
            Some(note) => (note.current, note.total) = (current, total),
            None => {
                // One thing after the other.
                self.end_notes(now);
                self.notes.push(Note { what: what.to_owned(), current, total, began: now, ended: None });
            }
        }
    }

    fn end_notes(&mut self, now: Instant) {
        for note in &mut self.notes {
            note.ended.get_or_insert(now);
        }
    }

    fn ended(&mut self, end: End, now: Instant) {
        // What is cached is done too, and may be told so.
        if self.end.is_none() {
            self.end = Some(end);
            self.log.lines.extend(self.log.partial.take());
            self.end_notes(now);
        }
    }
}

impl Log {
    pub(super) fn add(&mut self, text: &str, seconds: f64, kept: usize) {
        let whole = text.ends_with('\n');
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            let is_whole = whole || lines.peek().is_some();
            let line = line.trim_end_matches(['\n', '\r']);
            match &mut self.partial {
                Some(partial) => partial.push_str(line),
                None => self.partial = Some(stamped(seconds, line)),
            }
            if is_whole {
                self.lines.extend(self.partial.take());
            }
        }
        while self.lines.len() > kept {
            self.lines.pop_front();
        }
    }
}

/// A line after the seconds at which it came: always five characters.
pub(super) fn stamped(seconds: f64, line: &str) -> String {
    let digits = if seconds < 10.0 {
        3
    } else if seconds < 100.0 {
        2
    } else {
        1
    };
    format!("{seconds:.digits$} {line}")
}

/// How far a note is: `1.23kB / 4.00MB`, or nothing.
pub(super) fn amount(note: &Note) -> String {
    match note.total {
        Some(total) if total > 0 => format!("{} / {}", bytes(note.current), bytes(total)),
        _ if note.current > 0 => bytes(note.current),
        _ => String::new(),
    }
}

/// `28B`, `1.23kB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1000.0 && unit < UNITS.len() - 1 {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{size:.2}{}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_whole_lines_with_their_times() {
        let mut log = Log::default();
        log.add("one\ntw", 0.5, 2);
        assert_eq!(
            (log.lines.make_contiguous(), log.partial.as_deref()),
            (&mut ["0.500 one".to_owned()][..], Some("0.500 tw"))
        );
        log.add("o\nthree\r\n", 12.345, 2);
        assert_eq!(
            (log.lines.make_contiguous(), log.partial.as_deref()),
            (&mut ["0.500 two".to_owned(), "12.35 three".to_owned()][..], None)
        );
    }

    #[test]
    fn sizes_are_said_as_buildkit_says_them() {
        assert_eq!([0, 28, 999, 1234, 5_000_000].map(bytes), ["0B", "28B", "999B", "1.23kB", "5.00MB"]);
    }
}

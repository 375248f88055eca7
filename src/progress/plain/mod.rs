//! `--progress plain`: a line for everything, each after the number of its step. Steps that go on at once would mix, so
//! one of them speaks at a time, and the others wait until it has ended, or is silent, or they have waited too long.
//!
//! ```text
//!   #5 [2/3] RUN make
//!   #5 0.123 cc -o x x.c
//!   #5 DONE 1.2s
//! ```

use super::Display;
use super::trace::{End, Log, Note, Step, Trace, amount};
use engine::api::progress::Event;
use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// After so long a silence of the one that speaks, another may.
const SILENCE: Duration = Duration::from_secs(5);
/// Nobody waits longer, whoever speaks.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many bytes may wait, until the one that wrote them is heard.
const ROOM: usize = 1 << 20;
/// What takes no longer than this is only told when it is done.
const SHORT: Duration = Duration::from_millis(100);
/// A line about how far something is, is worth writing after so long, or so much.
const NEWS: (Duration, f64) = (Duration::from_secs(5), 0.05);

#[derive(Default)]
pub(super) struct Plain {
    /// Who speaks, and when it last did.
    current: Option<(usize, Instant)>,
    /// How much of the current step's unfinished line is written.
    partial: usize,
    /// By step: what is to be known about it.
    told: HashMap<usize, Told>,
    numbers: usize,
    /// Ended, and not yet told so, in that order.
    ended: Vec<usize>,
}

/// What of a step is written.
#[derive(Default)]
struct Told {
    /// The number that it has once it is first shown.
    number: usize,
    reasons: usize,
    warnings: usize,
    /// Lines that wait to be written, and since when.
    log: Log,
    waits: Option<Instant>,
    /// When a note was last written, and what it said; None once it said that it is done.
    notes: HashMap<String, Option<(Instant, u64)>>,
    over: bool,
}

impl Display for Plain {
    fn told(&mut self, trace: &Trace, event: &Event, now: Instant, out: &mut String) {
        // Warnings are told of the step that reads the Dockerfile, and come after it.
        if !matches!(event, Event::Dockerfile { .. } | Event::Warning { .. }) {
            self.endings(trace, now, out);
        }
        match event {
            // Most steps end at once, and are shown then: those that last, when time has gone by.
            Event::Step { id, .. } => _ = self.told.insert(*id, Told::default()),
            Event::Output { id, text, .. } => {
                let seconds = trace.step(*id).map_or(0.0, |step| now.duration_since(step.began).as_secs_f64());
                if let Some(told) = self.told.get_mut(id) {
                    told.log.add(text, seconds, usize::MAX);
                    told.waits.get_or_insert(now);
                }
                self.turn(trace, *id, now, out);
            }
            Event::Cached { id } | Event::Done { id, .. } | Event::Failed { id, .. }
                if self.told.get(id).is_some_and(|told| !told.over) && !self.ended.contains(id) =>
            {
                self.ended.push(*id);
                if !trace.step(*id).is_some_and(Step::reads_dockerfile) {
                    self.endings(trace, now, out);
                }
            }
            _ => {}
        }
    }

    fn tick(&mut self, trace: &Trace, now: Instant, out: &mut String) {
        self.endings(trace, now, out);
        if self.current.is_none()
            && let Some(next) = trace.steps.iter().find(|step| step.end.is_none())
        {
            self.speak(trace, next.id, now, out);
        }
        let Some((id, _)) = self.current else { return };
        if let (Some(step), Some(told)) = (trace.step(id), self.told.get_mut(&id)) {
            notes(step, told, now, out);
            if let Some(partial) = told.log.partial.as_ref().filter(|partial| partial.len() > self.partial) {
                if self.partial == 0 {
                    let _ = write!(out, "#{} ", told.number);
                }
                out.push_str(&partial[self.partial..]);
                self.partial = partial.len();
            }
        }
        self.fairness(trace, now, out);
    }

    fn end(&mut self, trace: &Trace, now: Instant, out: &mut String) {
        let rest = trace.steps.iter().map(|step| step.id).filter(|id| !self.ended.contains(id));
        let rest: Vec<_> = rest.filter(|id| self.told.get(id).is_some_and(|told| !told.over)).collect();
        self.ended.extend(rest);
        self.endings(trace, now, out);
    }
}

impl Plain {
    /// The step has something to say: it does if it is its turn.
    fn turn(&mut self, trace: &Trace, id: usize, now: Instant, out: &mut String) {
        let waiting = self.told.get(&id).map_or(0, |told| told.log.lines.iter().map(String::len).sum());
        match self.current {
            Some((current, _)) if current != id && waiting < ROOM => self.fairness(trace, now, out),
            _ => self.speak(trace, id, now, out),
        }
    }

    /// Steps that have ended say so: first the one that speaks.
    fn endings(&mut self, trace: &Trace, now: Instant, out: &mut String) {
        if let Some((current, _)) = self.current
            && let Some(place) = self.ended.iter().position(|id| *id == current)
        {
            self.ended.remove(place);
            self.speak(trace, current, now, out);
        }
        for id in std::mem::take(&mut self.ended) {
            self.speak(trace, id, now, out);
        }
    }

    /// Whoever has waited while the one that speaks had nothing to say, or too long.
    fn fairness(&mut self, trace: &Trace, now: Instant, out: &mut String) {
        let Some((current, since)) = self.current else { return };
        let is_silent = now.duration_since(since) >= SILENCE;
        let may_speak = |step: &&Step| {
            let waits = self.told.get(&step.id).and_then(|told| told.waits);
            waits.is_some_and(|waits| is_silent || now.duration_since(waits) >= PATIENCE)
        };
        let next = trace.steps.iter().filter(|step| step.id != current && step.end.is_none()).find(may_speak);
        if let Some(next) = next.map(|step| step.id) {
            self.speak(trace, next, now, out);
        }
    }

    /// Writes all that is new of a step, which becomes the one that speaks, unless it has ended.
    fn speak(&mut self, trace: &Trace, id: usize, now: Instant, out: &mut String) {
        let Some(step) = trace.step(id) else { return };
        if self.current.is_none_or(|(current, _)| current != id) {
            self.heading(step, out);
        }
        self.current = Some((id, now));
        let Some(told) = self.told.get_mut(&id) else { return };
        let number = told.number;
        // Writing to a text cannot fail, here and below.
        for reason in &step.reasons[told.reasons..] {
            let _ = writeln!(out, "#{number} {reason}");
        }
        told.reasons = step.reasons.len();
        if step.end.is_some() {
            notes(step, told, now, out);
            told.log.lines.extend(told.log.partial.take());
        }
        if step.reads_dockerfile() {
            for warning in &trace.warnings[told.warnings..] {
                let _ = writeln!(out, "#{number} WARN: {}", warning.short);
            }
            told.warnings = trace.warnings.len();
        }
        told.waits = None;
        for line in told.log.lines.drain(..) {
            match std::mem::take(&mut self.partial) {
                0 => _ = writeln!(out, "#{number} {line}"),
                written => _ = writeln!(out, "{}", line.get(written..).unwrap_or_default()),
            }
        }
        let ending = match &step.end {
            None => return,
            Some(End::Cached) => "CACHED".to_owned(),
            Some(End::Done(seconds)) => format!("DONE {seconds:.1}s"),
            Some(End::Failed(_, error)) => format!("ERROR: {error}"),
            Some(End::Cancelled(_)) => "CANCELED".to_owned(),
        };
        let _ = writeln!(out, "#{number} {ending}");
        told.over = true;
        self.current = None;
    }

    /// The step's name, after a blank line; and that the one before has not ended.
    fn heading(&mut self, step: &Step, out: &mut String) {
        if let Some(before) = self.current.and_then(|(id, _)| self.told.get(&id)) {
            if std::mem::take(&mut self.partial) > 0 {
                out.push('\n');
            }
            let _ = writeln!(out, "#{} ...", before.number);
        }
        if self.numbers > 0 {
            out.push('\n');
        }
        let Some(told) = self.told.get_mut(&step.id) else { return };
        if told.number == 0 {
            self.numbers += 1;
            told.number = self.numbers;
        }
        let _ = writeln!(out, "#{} {}", told.number, step.name);
    }
}

/// How far the parts of a step are, where that is news.
fn notes(step: &Step, told: &mut Told, now: Instant, out: &mut String) {
    for note in &step.notes {
        if is_news(note, told.notes.get(&note.what), now) {
            let _ = writeln!(out, "#{} {}{}", told.number, note.what, figures(note, now));
            let said = note.ended.is_none().then_some((now, note.current));
            told.notes.insert(note.what.clone(), said);
        }
    }
}

/// How far a part is: ` 1.23kB / 4.00MB 0.3s done`.
fn figures(note: &Note, now: Instant) -> String {
    let amount = Some(amount(note)).filter(|amount| !amount.is_empty()).map(|amount| format!(" {amount}"));
    let mut out = amount.unwrap_or_default();
    let seconds = note.ended.unwrap_or(now).duration_since(note.began).as_secs_f64();
    if seconds > 0.01 {
        out += &format!(" {seconds:.1}s");
    }
    if note.ended.is_some() {
        out += " done";
    }
    out
}

fn is_news(note: &Note, before: Option<&Option<(Instant, u64)>>, now: Instant) -> bool {
    match before {
        None => note.ended.is_some() || now.duration_since(note.began) >= SHORT,
        Some(None) => false,
        Some(Some(_)) if note.ended.is_some() => true,
        Some(Some((when, current))) => {
            let more = note.current.saturating_sub(*current) as f64;
            let share = note.total.filter(|total| *total > 0).map_or(0.0, |total| more / total as f64);
            more > 0.0 && (share >= NEWS.1 || now.duration_since(*when) >= NEWS.0)
        }
    }
}

#[cfg(test)]
mod tests;

//! A build as dockerd's classic builder tells it: one instruction after the other, in the order of the file, with the ID
//! of the image after each.
//!
//! ```text
//!   Step 2/3 : RUN echo hello
//!    ---> Running in 2c1b0f4bd1a5
//!   hello
//!   Removing intermediate container 2c1b0f4bd1a5
//!    ---> c2bf85403825
//! ```
//!
//! Our stages are built at once, and their events mix; here they are put in order again, each instruction waiting until
//! it is its turn.

use engine::api::progress::{Event, Stream};
use engine::api::{Aux, Built, ErrorDetail, Progress};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Makes lines of events.
pub(super) struct Classic<'a> {
    /// The instructions of all stages, and after a FROM its triggers.
    slots: Vec<Slot>,
    /// The number of the next heading, from 1; and of the last.
    steps: (usize, usize),
    /// Whose turn it is.
    cursor: usize,
    by_step: HashMap<usize, usize>,
    failure: Option<ErrorDetail>,
    /// What is told at the end.
    warnings: Vec<String>,
    /// Whether there was an image with this ID before.
    is_known: &'a (dyn Fn(&str) -> bool + Sync),
    names: RandomState,
}

/// An instruction, and what is known of it.
#[derive(Debug)]
struct Slot {
    text: String,
    stage: usize,
    /// Its place in its stage. That of a trigger is the FROM's.
    instruction: usize,
    kind: Kind,
    /// So many triggers are still to come before the FROM is carried out whole.
    triggers: Option<usize>,
    /// It is reached; and the step that it is, if it is one.
    reached: Option<Option<usize>>,
    fate: Option<Fate>,
    output: Vec<Progress>,
    /// The ID after it.
    image: Option<String>,
    is_headed: bool,
    is_fate_told: bool,
}

/// What the classic builder makes of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    From,
    /// It copies without a container.
    Copy,
    /// It has a container made, if only to commit it.
    Container,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Reused,
    Made,
}

impl<'a> Classic<'a> {
    pub(super) fn new(is_known: &'a (dyn Fn(&str) -> bool + Sync)) -> Self {
        Self {
            slots: Vec::new(),
            steps: (1, 0),
            cursor: 0,
            by_step: HashMap::new(),
            failure: None,
            warnings: Vec::new(),
            is_known,
            names: RandomState::new(),
        }
    }

    /// The lines that can be told, now that this has happened.
    pub(super) fn tell(&mut self, event: Event) -> Vec<Progress> {
        match event {
            Event::Plan { meta_args, stages } => return self.plan(meta_args, stages),
            Event::Triggers { stage, instructions } => self.triggers(stage, instructions),
            Event::Reached { stage, instruction, id } => {
                let place = self.place(stage, instruction, |slot| slot.reached.is_none());
                if let (Some(place), Some(id)) = (place, id) {
                    self.by_step.insert(id, place);
                }
                self.alter(place, |slot| slot.reached = Some(id));
            }
            Event::Made { stage, instruction, image } => {
                let place = self.place(stage, instruction, |slot| slot.image.is_none());
                self.alter(place, |slot| slot.image = Some(image));
            }
            Event::Cached { id } => self.alter_step(id, |slot| slot.fate = Some(Fate::Reused)),
            Event::Begun { id } => self.alter_step(id, |slot| slot.fate = Some(Fate::Made)),
            Event::Output { id, stream, text } => self.alter_step(id, |slot| slot.output.push(output(stream, text))),
            // The classic builder knows no rules.
            Event::Warning { rule, message, .. } if rule.is_empty() => self.warnings.push(message),
            Event::Exited { command, code, .. } => self.failure = Some(failure(&command, code)),
            _ => {}
        }
        self.advance()
    }

    /// The end of a build that went well. `tags` are the names that were asked for.
    pub(super) fn end(&mut self, built: &Built, tags: &[String]) -> Vec<Progress> {
        let mut lines: Vec<_> = self.warnings.drain(..).map(|warning| text(format!("[Warning] {warning}\n"))).collect();
        lines.push(text(format!("Successfully built {}\n", short(&built.id))));
        lines.extend(tags.iter().map(|tag| text(format!("Successfully tagged {}\n", familiar(tag)))));
        lines
    }

    /// The error's own detail, where a command failed.
    pub(super) fn failure(&mut self) -> Option<ErrorDetail> {
        self.failure.take()
    }

    fn plan(&mut self, meta_args: Vec<String>, stages: Vec<Vec<String>>) -> Vec<Progress> {
        for (stage, texts) in stages.into_iter().enumerate() {
            let texts = texts.into_iter().enumerate();
            self.slots.extend(texts.map(|(instruction, text)| Slot::new(text, stage, instruction)));
        }
        self.steps.1 = meta_args.len() + self.slots.len();
        // They have no result that could be told.
        meta_args.iter().map(|text| self.heading(text)).collect()
    }

    /// Puts the triggers of a FROM after it.
    fn triggers(&mut self, stage: usize, instructions: Vec<String>) {
        let Some(from) = self.slots.iter().position(|slot| slot.stage == stage) else { return };
        let count = instructions.len();
        self.slots[from].triggers = Some(count);
        let slots = instructions.into_iter().enumerate().map(|(number, text)| {
            let triggers = Some(count - number - 1);
            // It has no heading of its own.
            Slot { triggers, is_headed: true, ..Slot::new(text, stage, 0) }
        });
        self.slots.splice(from + 1..=from, slots);
    }

    /// The slot of an instruction: of a FROM and its triggers, the first of which this is still to be said.
    fn place(&self, stage: usize, instruction: usize, unsaid: impl Fn(&Slot) -> bool) -> Option<usize> {
        let is_it = |slot: &Slot| slot.stage == stage && slot.instruction == instruction && unsaid(slot);
        self.slots.iter().position(is_it)
    }

    fn alter(&mut self, place: Option<usize>, change: impl FnOnce(&mut Slot)) {
        if let Some(slot) = place.and_then(|place| self.slots.get_mut(place)) {
            change(slot);
        }
    }

    fn alter_step(&mut self, id: usize, change: impl FnOnce(&mut Slot)) {
        self.alter(self.by_step.get(&id).copied(), change);
    }

    /// Tells all that it has its turn.
    fn advance(&mut self) -> Vec<Progress> {
        let mut lines = Vec::new();
        while self.cursor < self.slots.len() && self.tell_current(&mut lines) {
            self.cursor += 1;
        }
        lines
    }

    /// Tells what is new of the instruction whose turn it is. True when that is all of it.
    fn tell_current(&mut self, lines: &mut Vec<Progress>) -> bool {
        let (place, container, fate) = (self.cursor, self.container(self.cursor), self.fate(self.cursor));
        if self.slots[place].reached.is_none() {
            return false;
        }
        if !std::mem::replace(&mut self.slots[place].is_headed, true) {
            let instruction = self.slots[place].text.clone();
            lines.push(self.heading(&instruction));
            if let Some(count) = self.slots[place].triggers {
                let plural = if count == 1 { "" } else { "s" };
                lines.push(text(format!("# Executing {count} build trigger{plural}\n")));
            }
        }
        let Some(fate) = fate else { return false };
        let slot = &mut self.slots[place];
        let in_container = slot.kind == Kind::Container && fate == Fate::Made;
        if !std::mem::replace(&mut slot.is_fate_told, true) {
            match fate {
                Fate::Reused if slot.kind != Kind::From => lines.push(text(" ---> Using cache\n")),
                _ if in_container => lines.push(text(format!(" ---> Running in {container}\n"))),
                _ => {}
            }
        }
        lines.append(&mut slot.output);
        let Some(image) = slot.image.clone() else { return false };
        if in_container {
            lines.push(text(format!("Removing intermediate container {container}\n")));
        }
        // A FROM has its result when its triggers have theirs.
        if slot.triggers.unwrap_or(0) == 0 {
            let shown = if slot.is_scratch() { "" } else { short(&image) };
            lines.push(text(format!(" ---> {shown}\n")));
        }
        let stage = slot.stage;
        if self.slots.get(place + 1).is_none_or(|next| next.stage != stage) {
            lines.push(Progress { aux: Some(Aux::Built(Built { id: image })), ..Progress::default() });
        }
        true
    }

    /// Whether the instruction's result was there before; None while that is not known.
    ///
    /// The classic builder keeps an image of every instruction. We keep those that change files, and so what lies before
    /// the next of them shares its fate. What comes after the last was there if it lies before the end of an image that
    /// was there.
    fn fate(&self, place: usize) -> Option<Fate> {
        let slot = &self.slots[place];
        if slot.kind == Kind::From {
            return Some(Fate::Made);
        }
        if slot.reached?.is_some() {
            return slot.fate;
        }
        let is_in_stage = |other: &&Slot| other.stage == slot.stage;
        let mut was_there = false;
        for next in self.slots[place..].iter().take_while(is_in_stage) {
            if next.reached?.is_some() {
                return next.fate;
            }
            was_there |= (self.is_known)(next.image.as_ref()?);
        }
        let before = self.slots[..place].iter().rev().take_while(is_in_stage).find_map(|other| other.fate);
        let is_last_stage = self.slots.last().is_none_or(|last| last.stage == slot.stage);
        // Stages that are only built upon leave no images.
        let reused = before != Some(Fate::Made) && (was_there || !is_last_stage);
        Some(if reused { Fate::Reused } else { Fate::Made })
    }

    fn heading(&mut self, instruction: &str) -> Progress {
        let (number, all) = self.steps;
        self.steps.0 += 1;
        text(format!("Step {number}/{all} : {instruction}\n"))
    }

    /// What the container of an instruction is called. It lives no longer than the instruction, and nobody can ask for
    /// it by this name; but whoever reads these lines expects one.
    fn container(&self, place: usize) -> String {
        format!("{:012x}", self.names.hash_one(place) & 0xffff_ffff_ffff)
    }
}

impl Slot {
    fn new(text: String, stage: usize, instruction: usize) -> Self {
        let kind = match text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "FROM" => Kind::From,
            "COPY" | "ADD" => Kind::Copy,
            _ => Kind::Container,
        };
        Self {
            text,
            stage,
            instruction,
            kind,
            triggers: None,
            reached: None,
            fate: None,
            output: Vec::new(),
            image: None,
            is_headed: false,
            is_fate_told: false,
        }
    }

    /// `FROM scratch`: nothing, and so no image.
    fn is_scratch(&self) -> bool {
        self.kind == Kind::From && self.text.split_whitespace().nth(1) == Some("scratch")
    }
}

/// A line of text.
pub(super) fn text(text: impl Into<String>) -> Progress {
    Progress { stream: Some(text.into()), ..Progress::default() }
}

/// Errors of a command are red.
fn output(stream: Stream, output: String) -> Progress {
    match stream {
        Stream::Stdout => text(output),
        Stream::Stderr => text(format!("\x1b[91m{output}\x1b[0m")),
    }
}

fn failure(command: &[String], code: i32) -> ErrorDetail {
    let message = format!("The command '{}' returned a non-zero code: {code}", command.join(" "));
    ErrorDetail { code: Some(code), message }
}

/// Twelve digits of an ID.
fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}

/// A name as Docker shows it: with its tag, and without what every name begins with.
fn familiar(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if has_tag { name.to_owned() } else { format!("{name}:latest") }
}

#[cfg(test)]
mod tests;

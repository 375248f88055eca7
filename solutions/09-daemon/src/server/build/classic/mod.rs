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
use engine::api::{Built, ErrorDetail, Progress};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Makes lines of events.
pub(super) struct Classic<'a> {
    meta_args: Vec<String>,
    /// The instructions of all stages.
    slots: Vec<Slot>,
    /// Where the slots of each stage begin.
    stages: Vec<usize>,
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
    kind: Kind,
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
            meta_args: Vec::new(),
            slots: Vec::new(),
            stages: Vec::new(),
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
            Event::Reached { stage, instruction, id } => {
                let place = self.place(stage, instruction);
                if let (Some(place), Some(id)) = (place, id) {
                    self.by_step.insert(id, place);
                }
                self.alter(place, |slot| slot.reached = Some(id));
            }
            Event::Made { stage, instruction, image } => {
                let place = self.place(stage, instruction);
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
            self.stages.push(self.slots.len());
            self.slots.extend(texts.into_iter().map(|text| Slot::new(text, stage)));
        }
        self.meta_args = meta_args;
        // They have no result that could be told.
        self.meta_args.iter().enumerate().map(|(number, text)| self.heading(number, text)).collect()
    }

    fn place(&self, stage: usize, instruction: usize) -> Option<usize> {
        let place = self.stages.get(stage)? + instruction;
        self.slots.get(place).filter(|slot| slot.stage == stage).map(|_| place)
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
        let (place, container) = (self.cursor, self.container(self.cursor));
        let fate = self.fate(place);
        let number = self.meta_args.len() + place;
        let heading = self.heading(number, &self.slots[place].text);
        let slot = &mut self.slots[place];
        if slot.reached.is_none() {
            return false;
        }
        if !std::mem::replace(&mut slot.is_headed, true) {
            lines.push(heading);
        }
        let Some(fate) = fate else { return false };
        let in_container = slot.kind == Kind::Container && fate == Fate::Made;
        if !std::mem::replace(&mut slot.is_fate_told, true) {
            match fate {
                Fate::Reused if slot.kind != Kind::From => lines.push(text(" ---> Using cache\n")),
                _ if in_container => lines.push(text(format!(" ---> Running in {container}\n"))),
                _ => {}
            }
        }
        lines.append(&mut slot.output);
        let Some(image) = &slot.image else { return false };
        if in_container {
            lines.push(text(format!("Removing intermediate container {container}\n")));
        }
        lines.push(text(format!(" ---> {}\n", short(image))));
        let is_last = self.slots.get(place + 1).is_none_or(|next| next.stage != self.slots[place].stage);
        if is_last {
            let id = self.slots[place].image.clone().unwrap_or_default();
            lines.push(Progress { aux: Some(Built { id }), ..Progress::default() });
        }
        true
    }

    /// Whether the instruction's result was there before; None while that is not known.
    ///
    /// The classic builder keeps an image of every instruction. We keep those that change files, and so what lies before
    /// the next of them shares its fate; what comes after the last is as old as the image is.
    fn fate(&self, place: usize) -> Option<Fate> {
        let slot = self.slots.get(place)?;
        if slot.kind == Kind::From {
            return Some(Fate::Made);
        }
        if slot.reached?.is_some() {
            return slot.fate;
        }
        let stage = self.slots.iter().filter(|other| other.stage == slot.stage);
        let from_here = self.slots[place..].iter().take_while(|other| other.stage == slot.stage);
        for next in from_here {
            if next.reached?.is_some() {
                return next.fate;
            }
        }
        let last = self.slots.iter().rfind(|other| other.stage == slot.stage)?;
        let image = last.image.as_ref()?;
        let all_reused = stage
            .filter(|other| other.kind != Kind::From)
            .filter_map(|other| other.fate)
            .all(|fate| fate == Fate::Reused);
        let is_final = slot.stage + 1 == self.stages.len();
        let reused = all_reused && (!is_final || (self.is_known)(image));
        Some(if reused { Fate::Reused } else { Fate::Made })
    }

    fn heading(&self, number: usize, instruction: &str) -> Progress {
        text(format!("Step {}/{} : {instruction}\n", number + 1, self.meta_args.len() + self.slots.len()))
    }

    /// What the container of an instruction is called. It lives no longer than the instruction, and nobody can ask for
    /// it by this name; but whoever reads these lines expects one.
    fn container(&self, place: usize) -> String {
        format!("{:012x}", self.names.hash_one(place) & 0xffff_ffff_ffff)
    }
}

impl Slot {
    fn new(text: String, stage: usize) -> Self {
        let kind = match text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "FROM" => Kind::From,
            "COPY" | "ADD" => Kind::Copy,
            _ => Kind::Container,
        };
        Self {
            text,
            stage,
            kind,
            reached: None,
            fate: None,
            output: Vec::new(),
            image: None,
            is_headed: false,
            is_fate_told: false,
        }
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

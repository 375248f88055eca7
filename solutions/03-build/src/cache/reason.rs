//! Why a step was not reused (`--explain`): what is different from the last time that this step was built.

use super::{CONTENT, Key, Part, Place, Record};
use layers::digest::Digest;
use layers::{Pins, Store};
use std::collections::BTreeMap;

/// Why there is nothing to reuse under `key`. `line` tells where a variable was set.
#[must_use]
pub fn why_not(
    store: &Store,
    key: &Key,
    place: &Place,
    below: Option<Digest>,
    line: &dyn Fn(&str) -> Option<usize>,
) -> String {
    if let Some(same) = store.pins().read::<Record>(&key.finish()) {
        return if same.about.below == below {
            "it was built before, but its layer is not here any more".to_owned()
        } else {
            "it was built before, but upon other layers".to_owned()
        };
    }
    match nearest(store.pins(), key, place) {
        None => "it was never built here".to_owned(),
        Some(earlier) if earlier.kind != key.kind => format!("another instruction stood here: {}", earlier.step),
        Some(earlier) if earlier.parent != key.parent => {
            "what it is built on is not what it was built on before".to_owned()
        }
        Some(earlier) => differences(&earlier.all(), &key.all(), line),
    }
}

/// Of the records of the same step, the one with the most in common, and of those the youngest.
fn nearest(pins: &Pins, key: &Key, place: &Place) -> Option<Record> {
    let all = pins.list().ok()?.into_iter();
    let records = all.filter_map(|(at, used)| Some((pins.read::<Record>(&at)?.about, used)));
    let same_step = records.filter(|(record, _)| record.place == *place);
    let common = |record: &Record| record.parts.iter().filter(|part| key.parts.contains(part)).count();
    same_step
        .max_by_key(|(record, used)| (record.kind == key.kind, record.parent == key.parent, common(record), *used))
        .map(|(record, _)| record)
}

impl Record {
    fn all(&self) -> Vec<Part> {
        detailed(&self.parts, &self.told)
    }
}

impl Key {
    fn all(&self) -> Vec<Part> {
        detailed(&self.parts, &self.told)
    }
}

/// All parts; the one that others are told of only by these.
fn detailed(parts: &[Part], told: &[Part]) -> Vec<Part> {
    let whole = |part: &&Part| part.0 != CONTENT || told.is_empty();
    parts.iter().filter(whole).chain(told).cloned().collect()
}

/// So many changed things are named; with more, nobody reads on.
const MOST_NAMED: usize = 3;

fn differences(before: &[Part], now: &[Part], line: &dyn Fn(&str) -> Option<usize>) -> String {
    let map = |parts: &[Part]| -> BTreeMap<String, Digest> {
        parts.iter().map(|Part(name, digest)| (name.clone(), *digest)).collect()
    };
    let (old, new) = (map(before), map(now));
    let mut told = Vec::new();
    for Part(name, digest) in now {
        let at = name.strip_prefix("ENV ").and_then(line).map(|line| format!(" (line {line})")).unwrap_or_default();
        match old.get(name) {
            None => told.push(format!("{} is new{at}", subject(name))),
            Some(known) if known != digest => told.push(format!("{} changed{at}", subject(name))),
            Some(_) => {}
        }
    }
    told.extend(
        before
            .iter()
            .filter(|Part(name, _)| !new.contains_key(name))
            .map(|Part(name, _)| format!("{} is gone", subject(name))),
    );
    match told.len() {
        0 => "the order of what it depends on changed".to_owned(),
        count if count > MOST_NAMED => {
            format!("{}, and {} more", told[..MOST_NAMED].join(", "), count - MOST_NAMED)
        }
        _ => told.join(", "),
    }
}

/// A part's name as the subject of a sentence: variables and files by their names, all else with an article.
fn subject(name: &str) -> String {
    match name.split_once(' ') {
        Some(("ENV" | "file" | "folder" | "mount", _)) => name.to_owned(),
        _ if name.starts_with("--") => name.to_owned(),
        _ => format!("the {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(parts: &[(&str, &str)]) -> Vec<Part> {
        parts.iter().map(|(name, value)| Part((*name).to_owned(), Digest::of(value.as_bytes()))).collect()
    }

    #[test]
    fn what_differs_is_named() {
        let before = parts(&[("command", "make"), ("ENV A", "1"), ("user", ""), ("file app/x.js", "x")]);
        let told = |now: &[(&str, &str)]| differences(&before, &parts(now), &|name| (name == "A").then_some(3));
        assert_eq!(
            told(&[("command", "make all"), ("ENV A", "1"), ("user", ""), ("file app/x.js", "x")]),
            "the command changed"
        );
        assert_eq!(
            told(&[("command", "make"), ("ENV A", "2"), ("user", ""), ("file app/x.js", "y")]),
            "ENV A changed (line 3), file app/x.js changed"
        );
        assert_eq!(
            told(&[("command", "make"), ("ENV B", "2"), ("user", "me"), ("file app/x.js", "x")]),
            "ENV B is new, the user changed, ENV A is gone"
        );
        assert_eq!(
            told(&[("a", ""), ("b", ""), ("c", ""), ("d", "")]),
            "the a is new, the b is new, the c is new, and 5 more"
        );
    }

    #[test]
    fn another_kind_of_instruction_is_nothing_to_compare_with() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let place = Place { project: "p".to_owned(), stage: "0".to_owned(), step: 1 };
        let mut built = Key::new(Digest::of(b"base"), "RUN");
        built.part("command", "make");
        super::super::keep(&store, &built, &place, "run make", None, None).unwrap();
        let why = |kind: &str, command: &str| {
            let mut key = Key::new(Digest::of(b"base"), kind);
            key.part("command", command);
            why_not(&store, &key, &place, None, &|_| None)
        };
        assert_eq!(why("RUN", "make all"), "the command changed");
        assert_eq!(why("WORKDIR", "make all"), "another instruction stood here: run make");
    }
}

//! Is this the output the book shows? Up to what is another on every machine and every day.

use std::collections::HashMap;

use anyhow::Result;
use regex_lite::{Captures, Regex};

/// In the book, a line that may stand for any number of lines.
const ANY_LINES: &str = "...";
/// In the book, any text within a line.
const ANY_TEXT: &str = "[..]";

/// What a page shows, beside what a run of it printed. Each id, random name and subnet of the one stands for one of the other,
/// from where it first appears on: so the id in `ps` must be the one that `run -d` has printed.
pub(crate) struct Comparison {
    rules: Vec<(Regex, &'static str)>,
    /// An id, a random name, a subnet.
    others: [Regex; 3],
    pairs: Pairs,
}

impl Comparison {
    pub(crate) fn new() -> Result<Comparison> {
        let time =
            r"(Less than a second|About an? (minute|hour)|\d+ (second|minute|hour|day|week|month|year)s?)( ago)?";
        let rules = [
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "<time>"),
            (time, "<time>"),
            (r"\b\d+(\.\d+)?\s?[kMG]?B\b", "<size>"),
            // What a build says: how long a step took, and when its command wrote a line.
            (r"\b\d+\.\ds\b", "<time>"),
            (r"^(#\d+ )?\d+\.\d{3} ", "<time> "),
            // The links that root sees: a bridge, named by its network, and the end of a cable.
            (r"\bkes-[0-9a-f]{11}\b", "<bridge>"),
            (r"\bveth[0-9a-f]{11}\b", "<cable>"),
            // Columns are as wide as what stands in them.
            (r"\s{2,}", "  "),
        ];
        let others = [
            r"\b([0-9a-f]{64}|[0-9a-f]{12})\b",
            // Docker's pools for networks: which of them are free is another matter on each machine.
            r"\b172\.(1[7-9]|2\d|3[01])\.",
            r"\b[a-z]+_[a-z]+\d?$",
        ];
        let [id, subnet, name] = others.map(Regex::new);
        Ok(Comparison {
            rules: rules.into_iter().map(|(rule, put)| Ok((Regex::new(rule)?, put))).collect::<Result<_>>()?,
            others: [id?, subnet?, name?],
            pairs: Pairs::default(),
        })
    }

    /// Whether what was printed fits what the book shows.
    pub(crate) fn fits(&mut self, shown: &[String], printed: &[String]) -> bool {
        let [shown, printed] = [shown, printed].map(|lines| lines.iter().map(|line| self.normal(line)).collect());
        let (shown, printed): (Vec<String>, Vec<String>) = (shown, printed);
        let pairs = fits(&shown, &printed, self.pairs.clone());
        let fits = pairs.is_some();
        self.pairs = pairs.unwrap_or_else(|| std::mem::take(&mut self.pairs));
        fits
    }

    /// A line without what differs; what has its counterpart on the other side is between [`OPEN`] and [`CLOSE`].
    fn normal(&self, line: &str) -> String {
        let mut line = line.trim_end().to_owned();
        for (rule, put) in &self.rules {
            line = rule.replace_all(&line, *put).into_owned();
        }
        for other in &self.others {
            // A long id and its first twelve digits are the same id.
            let mark = |found: &Captures<'_>| match found[0].len() {
                64 => format!("{OPEN}{}{CLOSE}", &found[0][..12]),
                _ => format!("{OPEN}{}{CLOSE}", &found[0]),
            };
            line = other.replace_all(&line, mark).into_owned();
        }
        line
    }
}

const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

/// What in the book stands for what is here. What `...` and `[..]` leave out has no part in it.
#[derive(Clone, Default)]
struct Pairs {
    here: HashMap<String, String>,
    book: HashMap<String, String>,
}

impl Pairs {
    /// Whether these two are each other's counterpart. Who is new on both sides is, from now on.
    fn belong(&mut self, book: &str, here: &str) -> bool {
        if !self.here.contains_key(book) && !self.book.contains_key(here) {
            self.here.insert(book.to_owned(), here.to_owned());
            self.book.insert(here.to_owned(), book.to_owned());
        }
        self.here.get(book).is_some_and(|known| known == here)
    }
}

fn fits(shown: &[String], printed: &[String], pairs: Pairs) -> Option<Pairs> {
    match shown.split_first() {
        None => printed.is_empty().then_some(pairs),
        Some((first, rest)) if first == ANY_LINES => {
            (0..=printed.len()).find_map(|skip| fits(rest, &printed[skip..], pairs.clone()))
        }
        Some((first, rest)) => {
            let (line, others) = printed.split_first()?;
            fits(rest, others, fits_line(first, line, pairs)?)
        }
    }
}

fn fits_line(shown: &str, printed: &str, mut pairs: Pairs) -> Option<Pairs> {
    let Some((before, after)) = shown.split_once(ANY_TEXT) else {
        return begins(shown, printed, &mut pairs)?.is_empty().then_some(pairs);
    };
    let rest = begins(before, printed, &mut pairs)?;
    let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.find_map(|at| fits_line(after, &rest[at..], pairs.clone()))
}

/// What follows in `printed` after this beginning.
fn begins<'p>(mut shown: &str, mut printed: &'p str, pairs: &mut Pairs) -> Option<&'p str> {
    let marked = |text: &'_ str| text.strip_prefix(OPEN).and_then(|text| text.find(CLOSE));
    while let Some(next) = shown.chars().next() {
        match (marked(shown), marked(printed)) {
            (Some(book), Some(here)) => {
                if !pairs.belong(&shown[1..=book], &printed[1..=here]) {
                    return None;
                }
                (shown, printed) = (&shown[book + 2..], &printed[here + 2..]);
            }
            _ => {
                printed = printed.strip_prefix(next)?;
                shown = &shown[next.len_utf8()..];
            }
        }
    }
    Some(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(shown: &[&str], printed: &[&str]) -> bool {
        let [shown, printed] = [shown, printed].map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        let (shown, printed): (Vec<String>, Vec<String>) = (shown, printed);
        Comparison::new().unwrap().fits(&shown, &printed)
    }

    #[test]
    fn subnets_are_those_that_are_free() {
        assert!(same(&["172.18.0.2", "172.19.0.2", "172.18.0.3"], &["172.20.0.2", "172.18.0.2", "172.20.0.3"]));
        assert!(!same(&["172.18.0.2", "172.18.0.2"], &["172.18.0.2", "172.19.0.2"]));
        assert!(!same(&["172.18.0.2"], &["172.18.0.3"]));
    }

    #[test]
    fn links_have_names_of_their_own() {
        assert!(same(&["veth0123456789a on kes-0123456789b"], &["vethcefe1312589 on kes-16c691fe2f2"]));
        assert!(!same(&["veth0123456789a"], &["kes-16c691fe2f2"]));
    }

    #[test]
    fn what_differs_every_day_is_the_same() {
        assert!(same(
            &["3419d5c7f742   workbench   2 hours ago   Exited (0) 3 seconds ago   fine_torricelli"],
            &["6eaadb5586a2   workbench   Less than a second ago   Exited (0) About a minute ago  zen_bell"],
        ));
        assert!(same(&["workbench   1.98MB"], &["workbench  987.1kB"]));
        assert!(same(&["#3 0.031 a", "#3 DONE 0.1s"], &["#3 1.200 a", "#3 DONE 13.0s"]));
        assert!(!same(&["Exited (0) 3 seconds ago"], &["Exited (1) 3 seconds ago"]));
    }

    #[test]
    fn an_id_is_the_same_wherever_it_appears() {
        let (long, other) = ("ab".repeat(32), "cd".repeat(32));
        assert!(same(&[&long, &long[..12]], &[&other, &other[..12]]));
        assert!(!same(&[&long, &long[..12]], &[&long, &other[..12]]));
    }

    #[test]
    fn what_a_wildcard_leaves_out() {
        assert!(same(&["a", "...", "z"], &["a", "b", "c", "z"]));
        assert!(same(&["a", "..."], &["a"]));
        assert!(!same(&["a", "...", "z"], &["a", "b"]));
        assert!(same(&["Linux [..] x86_64"], &["Linux 6.1 vm x86_64"]));
        assert!(!same(&["Linux [..] x86_64"], &["Linux 6.1 vm riscv"]));
    }

    #[test]
    fn what_is_left_out_has_no_ids() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|digit| digit.repeat(12));
        assert!(same(&[&a, "...", &b, &b], &[&c, &d, &a, &b, &b]));
        assert!(same(&["x [..] y", &a], &[&format!("x {b} y"), &c]));
        assert!(!same(&[&a, "...", &a], &[&c, &d, &a]));
    }
}

//! Is this the output the book shows? Up to what is another on every machine and every day.

use std::collections::HashMap;

use anyhow::Result;
use regex_lite::{Captures, Regex};

/// In the book, a line that may stand for any number of lines.
const ANY_LINES: &str = "...";
/// In the book, any text within a line.
const ANY_TEXT: &str = "[..]";

/// One side of the comparison: either all that a page shows, or all that a run of it printed. Each id, random name and
/// subnet is numbered as it first appears, so the id in `ps` must be the one that `run -d` has printed.
pub(crate) struct Side {
    rules: Vec<(Regex, &'static str)>,
    id: Regex,
    name: Regex,
    subnet: Regex,
    seen: HashMap<String, usize>,
}

impl Side {
    pub(crate) fn new() -> Result<Side> {
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
        Ok(Side {
            rules: rules.into_iter().map(|(rule, put)| Ok((Regex::new(rule)?, put))).collect::<Result<_>>()?,
            id: Regex::new(r"\b([0-9a-f]{64}|[0-9a-f]{12})\b")?,
            name: Regex::new(r"\b[a-z]+_[a-z]+\d?$")?,
            // Docker's pools for networks: which of them are free is another matter on each machine.
            subnet: Regex::new(r"\b172\.(1[7-9]|2\d|3[01])\.")?,
            seen: HashMap::new(),
        })
    }

    fn normal(&mut self, line: &str) -> String {
        let mut line = line.trim_end().to_owned();
        for (rule, put) in &self.rules {
            line = rule.replace_all(&line, *put).into_owned();
        }
        // A long id and its first twelve digits are the same id.
        let line = number(&self.id, &line, &mut self.seen, |id| id[..12].to_owned());
        let line = number(&self.subnet, &line, &mut self.seen, str::to_owned);
        number(&self.name, &line, &mut self.seen, str::to_owned)
    }

    pub(crate) fn lines(&mut self, lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| self.normal(line)).collect()
    }
}

fn number(what: &Regex, line: &str, seen: &mut HashMap<String, usize>, key: impl Fn(&str) -> String) -> String {
    let put = |found: &Captures<'_>| {
        let next = seen.len() + 1;
        format!("<{}>", seen.entry(key(&found[0])).or_insert(next))
    };
    what.replace_all(line, put).into_owned()
}

/// Whether normalised output fits what the book shows.
pub(crate) fn fits(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == ANY_LINES => (0..=printed.len()).any(|skip| fits(rest, &printed[skip..])),
        Some((first, rest)) => match printed.split_first() {
            Some((line, others)) => fits_line(first, line) && fits(rest, others),
            None => false,
        },
    }
}

fn fits_line(shown: &str, printed: &str) -> bool {
    let Some((before, after)) = shown.split_once(ANY_TEXT) else { return shown == printed };
    let Some(rest) = printed.strip_prefix(before) else { return false };
    let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.any(|at| fits_line(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(shown: &[&str], printed: &[&str]) -> bool {
        let side = |lines: &[&str]| {
            Side::new().unwrap().lines(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
        };
        fits(&side(shown), &side(printed))
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
}

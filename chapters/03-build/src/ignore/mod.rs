//! `.dockerignore`: what of the context a build does not see.
//!
//! Each line is a pattern; `!` before it makes an exception. Docker's rule is short: of all the lines that speak of a
//! path, the last one counts; and what is said of a folder is said of all that is in it.

#[path = "../../../../solutions/03-build/src/ignore/pattern.rs"]
mod pattern;

use crate::error::{Error, Result};
pub(crate) use pattern::Pattern;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The name of the file, in the root of the context. Where there is a `NAME.dockerignore` beside the Dockerfile NAME, that counts instead.
pub const FILE: &str = ".dockerignore";

/// The lines of a `.dockerignore`, or of several `--exclude`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    /// It began with `!`.
    exception: bool,
}

/// What the rules say of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The build does not see it.
    pub excluded: bool,
    /// For each rule, in order, whether it speaks of the path.
    spoken: Vec<bool>,
}

impl Verdict {
    /// Whether the rule of this number speaks of the path. Of the root of the context none does.
    fn is_spoken_of_by(&self, rule: usize) -> bool {
        self.spoken.get(rule).copied().unwrap_or_default()
    }
}

impl Ignore {
    /// Reads a `.dockerignore`. `file` is its name, for messages.
    ///
    /// # Errors
    /// [`Error::Pattern`] for a line that is none.
    pub fn parse(file: &str, text: &[u8]) -> Result<Self> {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let mut rules = Vec::new();
        for line in text.split(|byte| *byte == b'\n') {
            // Only in the first column: ` #x` is a file's name.
            let pattern = trim(line);
            if line.starts_with(b"#") || pattern.is_empty() {
                continue;
            }
            let (exception, pattern) = split_exception(pattern);
            let cleaned = clean(trim(pattern));
            // `/a` is the `a` of the context.
            let relative = cleaned.strip_prefix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(&cleaned);
            rules.push(Rule::new(file, relative, exception)?);
        }
        Ok(Self { rules })
    }

    /// The patterns of `--exclude`; they may have exceptions as well. `flag` is its name, for messages.
    ///
    /// # Errors
    /// [`Error::Pattern`] for one that is none.
    pub fn patterns<'a>(flag: &str, patterns: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let patterns =
            patterns.into_iter().map(|pattern| trim(pattern.as_bytes())).filter(|pattern| !pattern.is_empty());
        let rules = patterns.map(|pattern| {
            let (exception, pattern) = split_exception(pattern);
            Rule::new(flag, &clean(pattern), exception)
        });
        Ok(Self { rules: rules.collect::<Result<_>>()? })
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the rules say of a path of the context, such as `src/main.rs`. `parent` is what they say of the folder
    /// that it is in ([`Verdict::default`] where that is the context itself).
    ///
    /// * A rule speaks of a path if its pattern matches the path, or if the rule already speaks of the folder that it is
    ///   in: who ignores `target` ignores `target/debug` with it.
    /// * A path is excluded if the *last* rule that speaks of it is not an exception (`!`); if no rule does, it is not
    ///   excluded.
    ///
    /// The verdict has one `spoken` a rule, in the order of the rules, for whoever asks about what is in this folder.
    /// `Pattern::matches` compares a path, `Verdict::is_spoken_of_by` remembers what was said of the folder.
    ///
    /// Dockerfile reference, "`.dockerignore` file".
    pub fn verdict(&self, path: &[u8], parent: &Verdict) -> Verdict {
        if self.is_empty() {
            return Verdict::default();
        }
        // exercise: 3.5 verdict: of all rules that speak of a path, the last one counts
        todo!("exercise 3.5, verdict: of all rules that speak of a path, the last one counts")
        // end exercise
    }

    /// What the rules say of a path, from the root of the context down to it.
    pub fn verdict_of(&self, path: &Path) -> Verdict {
        let path = path.as_os_str().as_bytes();
        let mut verdict = Verdict::default();
        if path.is_empty() {
            return verdict;
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        for end in ends.chain([path.len()]) {
            verdict = self.verdict(&path[..end], &verdict);
        }
        verdict
    }

    /// Whether an exception may speak of something in a folder that is excluded: only then it has to be looked into.
    pub fn has_exception_in(&self, folder: &[u8]) -> bool {
        self.rules.iter().any(|rule| rule.exception && rule.pattern.may_match_in(folder))
    }

    /// The same for rules that are no exceptions.
    pub(crate) fn has_pattern_in(&self, folder: &[u8]) -> bool {
        self.rules.iter().any(|rule| !rule.exception && rule.pattern.may_match_in(folder))
    }
}

impl Rule {
    fn new(origin: &str, pattern: &[u8], exception: bool) -> Result<Self> {
        let (pattern, text) = (Pattern::deep(pattern), String::from_utf8_lossy(pattern));
        let origin = origin.to_owned();
        match pattern {
            Ok(_) if exception && text == "." => {
                Err(Error::Pattern { origin, pattern: "!".to_owned(), why: "illegal exclusion pattern" })
            }
            Ok(pattern) => Ok(Self { pattern, exception }),
            Err(_) => Err(Error::Pattern { origin, pattern: text.into_owned(), why: "syntax error in pattern" }),
        }
    }
}

fn split_exception(pattern: &[u8]) -> (bool, &[u8]) {
    pattern.strip_prefix(b"!").map_or((false, pattern), |rest| (true, rest))
}

fn trim(line: &[u8]) -> &[u8] {
    std::str::from_utf8(line).map_or_else(|_| line.trim_ascii(), |line| line.trim().as_bytes())
}

/// The shortest path that says the same: no `.`, no double slashes, no `..` but at the beginning. Go's `filepath.Clean`.
pub(crate) fn clean(path: &[u8]) -> Vec<u8> {
    let absolute = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => drop(parts.pop()),
            // Above the root is the root.
            b".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (absolute, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

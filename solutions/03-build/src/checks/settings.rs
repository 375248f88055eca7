//! Which checks are made, and whether they fail the build: `# check=skip=StageNameCasing;error=true`.
//!
//! At the head of the file it is for all of it; right above an instruction for this one.

use super::Rule;
use crate::dockerfile::directives;
use std::collections::BTreeMap;

/// What a `check` directive says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    skip: Names,
    /// Checks that are on trial are only made if they are asked for.
    experimental: Names,
    /// A build with warnings fails.
    pub error: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    all: bool,
    names: Vec<String>,
}

impl Settings {
    /// Reads the value of the directive (or of the build argument BUILDKIT_DOCKERFILE_CHECK, which replaces it), up to a
    /// blank.
    ///
    /// # Errors
    /// It is none: a line that says why.
    pub fn parse(value: &str) -> Result<Self, String> {
        let failed = |why: String| format!("failed to parse check options: {why}");
        let mut settings = Self::default();
        let options = value.split(' ').next().unwrap_or_default();
        for option in options.split(';') {
            let Some((key, value)) = option.split_once('=') else {
                return Err(failed(format!("invalid check option {option:?}")));
            };
            match key.trim() {
                "skip" => settings.skip = Names::parse(value),
                "experimental" => settings.experimental = Names::parse(value),
                "error" => {
                    settings.error = boolean(value.trim()).ok_or_else(|| {
                        let why = format!("strconv.ParseBool: parsing {:?}: invalid syntax", value.trim());
                        failed(format!("failed to parse check option {option:?}: {why}"))
                    })?;
                }
                key => return Err(failed(format!("invalid check option {key:?}"))),
            }
        }
        Ok(settings)
    }

    /// Whether this check is made.
    fn wants(&self, rule: Rule) -> bool {
        if rule.experimental() { self.experimental.has(rule) } else { !self.skip.has(rule) }
    }
}

/// The settings of a file and of its instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub file: Settings,
    /// By the first line of an instruction: what it adds.
    instructions: BTreeMap<usize, Settings>,
}

impl Scope {
    pub(crate) fn new(file: Settings) -> Self {
        Self { file, instructions: BTreeMap::new() }
    }

    /// Takes what the comments above an instruction say of it; the first that says something counts.
    pub(crate) fn comments(&mut self, line: usize, comments: &[String]) {
        let mut said =
            comments.iter().filter_map(|comment| directives::pair(comment)).filter(|(name, _)| name == "check");
        if let Some(Ok(settings)) = said.next().map(|(_, value)| Settings::parse(value)) {
            self.instructions.insert(line, settings);
        }
    }

    /// Whether this check is made for what begins on this line.
    pub(super) fn wants(&self, rule: Rule, line: usize) -> bool {
        let here = self.instructions.get(&line);
        if rule.experimental() {
            return self.file.wants(rule) || here.is_some_and(|here| here.wants(rule));
        }
        self.file.wants(rule) && here.is_none_or(|here| here.wants(rule))
    }
}

impl Names {
    fn parse(value: &str) -> Self {
        match value.trim() {
            "all" => Self { all: true, names: Vec::new() },
            names => Self { all: false, names: names.split(',').map(|name| name.trim().to_owned()).collect() },
        }
    }

    fn has(&self, rule: Rule) -> bool {
        self.all || self.names.iter().any(|name| name == rule.name())
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

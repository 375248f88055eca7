//! Which checks are made, and whether they fail the build: `# check=skip=StageNameCasing;error=true`.

use super::Rule;

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
    /// Reads the value of the directive, up to a blank.
    pub(crate) fn parse(value: &str) -> Result<Self, String> {
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
    pub fn wants(&self, rule: Rule) -> bool {
        if rule.experimental() { self.experimental.has(rule) } else { !self.skip.has(rule) }
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

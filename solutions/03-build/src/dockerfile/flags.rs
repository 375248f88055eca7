//! The flags of instructions: `COPY --chown=me`.

use super::keyword::Keyword;
use super::suggest::suggested;

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `--link`, `--link=false`
    Bool,
    /// `--chown=me`
    Text,
    /// As often as one likes: `--exclude=a --exclude=b`
    Texts,
}

/// The flags of a line, each with its value.
#[derive(Debug, Default)]
pub(super) struct Flags(Vec<(&'static str, String)>);

fn known(keyword: Keyword) -> &'static [(&'static str, Kind)] {
    use Kind::{Bool, Text, Texts};
    match keyword {
        Keyword::Add => &[
            ("chown", Text),
            ("chmod", Text),
            ("link", Bool),
            ("keep-git-dir", Bool),
            ("checksum", Text),
            ("unpack", Bool),
            ("exclude", Texts),
        ],
        Keyword::Copy => {
            &[("chown", Text), ("from", Text), ("chmod", Text), ("link", Bool), ("exclude", Texts), ("parents", Bool)]
        }
        Keyword::From => &[("platform", Text)],
        Keyword::Healthcheck => &[
            ("interval", Text),
            ("timeout", Text),
            ("start-period", Text),
            ("start-interval", Text),
            ("retries", Text),
        ],
        Keyword::Run => &[("mount", Texts), ("network", Text), ("security", Text), ("device", Texts)],
        _ => &[],
    }
}

impl Flags {
    /// Reads the flags of an instruction, each with its `--`.
    pub(super) fn read(keyword: Keyword, written: &[String]) -> Result<Self, String> {
        let known = known(keyword);
        let mut flags = Self::default();
        for flag in written {
            let (dashed, value) =
                flag.split_once('=').map_or((flag.as_str(), None), |(name, value)| (name, Some(value)));
            let name = dashed.strip_prefix("--").unwrap_or(dashed);
            let Some((name, kind)) = known.iter().find(|(known, _)| *known == name) else {
                let names = known.iter().map(|(name, _)| *name);
                return Err(suggested(format!("unknown flag: {dashed}"), name, names));
            };
            if *kind != Kind::Texts && flags.text(name).is_some() {
                return Err(format!("duplicate flag specified: {dashed}"));
            }
            let value = match (kind, value) {
                (Kind::Bool, None) => "true".to_owned(),
                (Kind::Bool, Some(value)) if value.eq_ignore_ascii_case("true") => "true".to_owned(),
                (Kind::Bool, Some(value)) if value.eq_ignore_ascii_case("false") => "false".to_owned(),
                (_, None) | (Kind::Bool, Some("")) => return Err(format!("missing a value on flag: {dashed}")),
                (Kind::Bool, Some(value)) => {
                    return Err(format!("expecting boolean value for flag {dashed}, not: {value}"));
                }
                (_, Some(value)) => value.to_owned(),
            };
            flags.0.push((name, value));
        }
        Ok(flags)
    }

    /// The value, if the flag was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// As [`Self::text`]; an empty value is as good as none.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        self.text(name).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is on; None: it was not given.
    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value == "true")
    }
}

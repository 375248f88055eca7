//! Parser directives: comments at the head of a Dockerfile that are more than comments.
//!
//! Dockerfile reference, "Parser directives". They end at the first line that is none.

use super::Fault;
use crate::checks::Settings;

/// What the head of a Dockerfile says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directives {
    /// `# syntax=docker/dockerfile:1`. Noted only: this parser reads what that one reads.
    pub syntax: Option<String>,
    /// `` # escape=` ``: what escapes a character, and the end of a line.
    pub escape: char,
    /// `# check=skip=StageNameCasing;error=true`.
    pub check: Settings,
}

impl Default for Directives {
    fn default() -> Self {
        Self { syntax: None, escape: '\\', check: Settings::default() }
    }
}

/// Reads the head of a Dockerfile, and tells how many lines it has.
pub(super) fn read(text: &str) -> Result<(Directives, usize), Fault> {
    let mut directives = Directives::default();
    let mut seen: Vec<String> = Vec::new();
    // A first line with `#!` may make the file itself a command.
    let head = usize::from(text.starts_with("#!"));
    for (i, line) in text.lines().enumerate().skip(head) {
        let Some((name, value)) = directive(line) else { break };
        let fault = |message: String| Fault::new(message, i + 1..=i + 1);
        if seen.contains(&name) {
            return Err(fault(format!("only one {name} parser directive can be used")));
        }
        match name.as_str() {
            "syntax" => {
                frontend(value).map_err(fault)?;
                directives.syntax = Some(value.to_owned());
            }
            // BuildKit does not see this one below a `#!`.
            "escape" if head > 0 => {}
            "escape" => directives.escape = escape(value).map_err(fault)?,
            _ => directives.check = Settings::parse(value).map_err(fault)?,
        }
        seen.push(name);
    }
    Ok((directives, head + seen.len()))
}

/// `# name = value`, if it is one that is known.
fn directive(line: &str) -> Option<(String, &str)> {
    pair(line.trim_start().strip_prefix('#')?)
}

/// `name = value`, without the `#`.
pub(crate) fn pair(comment: &str) -> Option<(String, &str)> {
    let (name, value) = comment.split_once('=')?;
    let (name, value) = (name.trim().to_lowercase(), value.trim());
    (matches!(name.as_str(), "syntax" | "escape" | "check") && !value.is_empty()).then_some((name, value))
}

fn escape(value: &str) -> Result<char, String> {
    match value {
        "\\" => Ok('\\'),
        "`" => Ok('`'),
        _ => Err(format!("invalid escape token '{value}' does not match ` or \\")),
    }
}

/// Whether the frontend that a `syntax` names (or the build argument BUILDKIT_SYNTAX) is the language that is read here.
/// Others are programs from a registry, which would be downloaded and run to read the file.
///
/// # Errors
/// It is another: a line that says so.
pub fn frontend(value: &str) -> Result<(), String> {
    let name = value.split(' ').next().unwrap_or_default();
    let image = name.split('@').next().unwrap_or_default();
    let (repository, tag) = match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (image, "latest"),
    };
    // Under another host, it is somebody's mirror of it.
    let repository = repository.rsplitn(3, '/').collect::<Vec<_>>();
    let dockers = matches!(repository[..], ["dockerfile" | "dockerfile-upstream", "docker", ..]);
    let version = tag.trim_end_matches("-labs").trim_end_matches("-experimental");
    let known =
        version == "1" || version.starts_with("1.") || matches!(tag, "latest" | "labs" | "experimental" | "master");
    if dockers && known {
        return Ok(());
    }
    Err(format!(
        "the syntax {name} is a program that would be downloaded to read this file, which is not supported: \
         only docker/dockerfile:1 is known here"
    ))
}

//! Parser directives: comments at the head of a Dockerfile that are more than comments.
//!
//! Dockerfile reference, "Parser directives". They end at the first line that is none.

use super::Fault;
use crate::checks::Settings;
use std::collections::BTreeMap;

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

/// Reads the head of a Dockerfile, and tells how many lines it has. Build arguments come before what the file says.
pub(super) fn read(text: &str, given: &BTreeMap<String, String>) -> Result<(Directives, usize), Fault> {
    let mut directives = Directives::default();
    let argument = |name| given.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let failed = |what: &str, why: String| Fault::of_the_file(format!("failed with {what}: {why}"));
    let syntax = argument("BUILDKIT_SYNTAX");
    if let Some(syntax) = syntax {
        frontend(syntax).map_err(|why| failed(&format!("BUILDKIT_SYNTAX = {syntax}"), why))?;
        directives.syntax = Some(syntax.to_owned());
    }
    let check = argument("BUILDKIT_DOCKERFILE_CHECK");
    if let Some(check) = check {
        directives.check =
            Settings::parse(check).map_err(|why| failed(&format!("BUILDKIT_DOCKERFILE_CHECK = {check}"), why))?;
    }
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
            "syntax" if syntax.is_none() => {
                frontend(value).map_err(fault)?;
                directives.syntax = Some(value.to_owned());
            }
            // BuildKit does not see this one below a `#!`.
            "escape" if head == 0 => directives.escape = escape(value).map_err(fault)?,
            "check" if check.is_none() => directives.check = Settings::parse(value).map_err(fault)?,
            _ => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_end_where_something_else_begins() {
        let escape = |text: &str| read(text, &BTreeMap::new()).unwrap().0.escape;
        assert_eq!(escape("# escape=`\nFROM a"), '`');
        assert_eq!(escape("#ESCAPE =  `  \nFROM a"), '`');
        assert_eq!(escape("# syntax=docker/dockerfile:1\n  # escape=`\nFROM a"), '`');
        for text in [
            "\n# escape=`",
            "# a comment\n# escape=`",
            "# escap=x\n# escape=`",
            "FROM a\n# escape=`",
            "# escape=\n# escape=`",
        ] {
            assert_eq!(escape(text), '\\', "{text:?}");
        }
        // A file that is its own command: only the syntax and the checks are looked for.
        let (directives, head) =
            read("#!/usr/bin/env -S docker build -f\n# syntax=docker/dockerfile\n# escape=`\n# x\n", &BTreeMap::new())
                .unwrap();
        assert_eq!((directives.syntax.as_deref(), directives.escape, head), (Some("docker/dockerfile"), '\\', 3));
    }

    #[test]
    fn build_arguments_replace_what_the_file_says() {
        let with = |name: &str, value: &str| {
            let given = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            read("# syntax=other/frontend\n# check=error=true\nFROM a", &given).map_err(|fault| fault.message)
        };
        assert!(with("X", "").unwrap_err().starts_with("the syntax other/frontend is a program"));
        assert_eq!(with("BUILDKIT_SYNTAX", "docker/dockerfile:1").unwrap().0.syntax.unwrap(), "docker/dockerfile:1");
        let refused = with("BUILDKIT_SYNTAX", "some/other").unwrap_err();
        assert!(refused.starts_with("failed with BUILDKIT_SYNTAX = some/other: the syntax some/other is a program"));
        let given = BTreeMap::from([("BUILDKIT_DOCKERFILE_CHECK".to_owned(), "skip=all".to_owned())]);
        assert!(!read("# check=error=true\nFROM a", &given).unwrap().0.check.error);
        let refused = with("BUILDKIT_DOCKERFILE_CHECK", "x").unwrap_err();
        assert!(refused.ends_with("failed to parse check options: invalid check option \"x\""), "{refused}");
    }

    #[test]
    fn only_dockers_own_syntax_needs_no_program() {
        for known in [
            "docker/dockerfile",
            "docker/dockerfile:1",
            "docker/dockerfile:1.7",
            "docker/dockerfile:1.7.0-labs",
            "docker/dockerfile:labs",
            "docker/dockerfile:latest",
            "docker/dockerfile:1.4@sha256:443aab4ca21183e069e7d8b2dc68006594f40bddf1b15bbd83f5137bd93e80e2",
            "docker.io/docker/dockerfile:1",
            "docker/dockerfile-upstream:master",
            "docker/dockerfile:experimental",
            "localhost:5000/docker/dockerfile:1",
            "mirror.example/hub/docker/dockerfile:1.9 and what follows",
        ] {
            assert_eq!(frontend(known), Ok(()), "{known}");
        }
        for other in [
            "docker/dockerfile:2",
            "docker/dockerfile:10",
            "r2d4/mocker",
            "dockerfile",
            "dockerfile:1",
            "docker.io/library/dockerfile",
            "docker/buildpacks",
            "xdocker/dockerfile:1",
        ] {
            assert!(frontend(other).is_err(), "{other}");
        }
    }
}

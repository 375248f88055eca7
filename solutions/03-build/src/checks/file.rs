//! The checks for which the text of the Dockerfile is enough.

use super::{Findings, Rule, Scope, Warning};
use crate::dockerfile::{Arguments, Keyword, Line};
use crate::expand;
use crate::instruction::{Dockerfile, Stage};
use layers::manifest::Platform;
use std::collections::BTreeSet;

/// Makes them. `lines` are those that the file was read from.
pub(crate) fn in_the_file(lines: &[Line], dockerfile: &Dockerfile, scope: &Scope) -> Vec<Warning> {
    let mut findings = Findings::new(scope);
    for line in lines {
        if let Some(last) = line.logical.empty_continuation {
            findings.add(Rule::NoEmptyContinuation, &(last..=last), None, "Empty continuation line");
        }
        match line.keyword {
            Some(Keyword::From) => from(line, &mut findings),
            Some(Keyword::Maintainer) => {
                let message = "Maintainer instruction is deprecated in favor of using label";
                findings.add(Rule::MaintainerDeprecated, &line.logical.lines, None, message);
            }
            Some(Keyword::Arg) => description(line, "ARG", &names(line), &mut findings),
            _ => {}
        }
    }
    casing(lines, &mut findings);
    stages(dockerfile, &mut findings);
    within_stages(lines, &mut findings);
    findings.sorted()
}

fn from(line: &Line, findings: &mut Findings) {
    let Arguments::Words(words) = &line.arguments else { return };
    let [_, r#as, name] = words.as_slice() else { return };
    let lines = &line.logical.lines;
    if name.to_lowercase() != *name {
        findings.add(Rule::StageNameCasing, lines, None, format!("Stage name '{name}' should be lowercase"));
    }
    // A `From` is told about elsewhere.
    let same = |case: fn(&str) -> String| case(line.name) != line.name || case(r#as) == *r#as;
    if !same(str::to_lowercase) || !same(str::to_uppercase) {
        let message = format!("'{}' and '{}' keywords' casing do not match", r#as, line.name);
        findings.add(Rule::FromAsCasing, lines, None, message);
    }
    description(line, "FROM", &[name.to_lowercase()], findings);
}

/// A comment right above says `# name what it is for`.
fn description(line: &Line, instruction: &str, names: &[String], findings: &mut Findings) {
    let Some(first) = line.logical.comments.last().and_then(|comment| comment.split(' ').next()) else { return };
    if names.iter().any(|name| name == first) {
        return;
    }
    let example = match names {
        [name] => name,
        _ => "<arg_key>",
    };
    let message = format!("Comment for {instruction} should follow the format: `# {example} <description>`");
    findings.add(Rule::InvalidDefinitionDescription, &line.logical.lines, None, message);
}

/// The names that an ARG or an ENV declares.
fn names(line: &Line) -> Vec<String> {
    match &line.arguments {
        Arguments::Words(words) => {
            words.iter().map(|word| word.split('=').next().unwrap_or_default().to_owned()).collect()
        }
        Arguments::Pairs(pairs) => pairs.iter().map(|pair| pair.name.clone()).collect(),
        _ => Vec::new(),
    }
}

/// All in capitals, or all in small letters, as most of the file is. (The ARGs before the first FROM have no say.)
fn casing(lines: &[Line], findings: &mut Findings) {
    let first = lines.iter().position(|line| line.keyword == Some(Keyword::From)).unwrap_or(lines.len());
    let lines = &lines[first..];
    let lower = lines.iter().filter(|line| line.name.to_lowercase() == line.name).count();
    let upper = lines.iter().filter(|line| line.name.to_uppercase() == line.name).count();
    let (wanted, case): (_, fn(&str) -> String) =
        if lower > upper { ("lowercase", str::to_lowercase) } else { ("uppercase", str::to_uppercase) };
    for line in lines.iter().filter(|line| case(line.name) != line.name) {
        let message = format!("Command '{}' should match the case of the command majority ({wanted})", line.name);
        findings.add(Rule::ConsistentInstructionCasing, &line.logical.lines, None, message);
    }
}

fn stages(dockerfile: &Dockerfile, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for stage in &dockerfile.stages {
        if let Some(name) = &stage.name {
            if matches!(name.as_str(), "context" | "scratch") {
                let message = format!("Stage name should not use the same name as reserved stage {name:?}");
                findings.add(Rule::ReservedStageName, &stage.lines, None, message);
            }
            if !seen.insert(name) {
                let message = format!("Duplicate stage name {name:?}, stage names should be unique");
                findings.add(Rule::DuplicateStageName, &stage.lines, None, message);
            }
        }
        platform(stage, findings);
    }
}

fn platform(stage: &Stage, findings: &mut Findings) {
    let Some(written) = &stage.platform else { return };
    // A value that no other text is equal to.
    let target = |name: &str| (name == "TARGETPLATFORM").then(|| "\0".to_owned());
    let Ok(expanded) = expand::word(written, &target, '\\') else { return };
    if expanded.text == "\0" && expanded.unmatched.is_empty() {
        let message =
            format!("Setting platform to predefined {written} in FROM is redundant as this is the default behavior");
        findings.add(Rule::RedundantTargetPlatform, &stage.lines, None, message);
    }
    if !expanded.used.is_empty() || !expanded.unmatched.is_empty() {
        return;
    }
    // A stage that is called after its platform is meant to be for it.
    let Ok(platform) = Platform::parse(&expanded.text) else { return };
    let name = stage.name.as_deref().unwrap_or_default();
    if !name.contains(&platform.os) && !name.contains(&platform.architecture) {
        let message = format!("FROM --platform flag should not use constant value {:?}", expanded.text);
        findings.add(Rule::FromPlatformFlagConstDisallowed, &stage.lines, None, message);
    }
}

/// What only matters in stages that are built.
fn within_stages(lines: &[Line], findings: &mut Findings) {
    let mut stage = None;
    // The last CMD, ENTRYPOINT and HEALTHCHECK of the stage.
    let mut last: [Option<&Line>; 3] = [None; 3];
    for line in lines {
        match line.keyword {
            Some(Keyword::From) => {
                stage = Some(stage.map_or(0, |stage| stage + 1));
                last = [None; 3];
            }
            Some(Keyword::Cmd) => once(line, &mut last[0], stage, findings),
            Some(Keyword::Entrypoint) => once(line, &mut last[1], stage, findings),
            Some(Keyword::Healthcheck) => once(line, &mut last[2], stage, findings),
            Some(keyword @ (Keyword::Env | Keyword::Arg)) if stage.is_some() => {
                for name in names(line).iter().filter(|name| is_secret(name)) {
                    let name = format!("{} {name:?}", keyword.name());
                    let message = format!("Do not use ARG or ENV instructions for sensitive data ({name})");
                    findings.add(Rule::SecretsUsedInArgOrEnv, &line.logical.lines, stage, message);
                }
            }
            _ => {}
        }
        if let Arguments::Pairs(pairs) = &line.arguments
            && pairs.iter().any(|pair| pair.legacy)
        {
            let name = line.name;
            let message = format!("\"{name} key=value\" should be used instead of legacy \"{name} key value\" format");
            findings.add(Rule::LegacyKeyValueFormat, &line.logical.lines, stage, message);
        }
    }
}

/// Of these only the last counts: the one before is told about.
fn once<'a>(line: &'a Line, last: &mut Option<&'a Line<'a>>, stage: Option<usize>, findings: &mut Findings) {
    if let Some(before) = last.replace(line) {
        let message = format!(
            "Multiple {} instructions should not be used in the same stage because only the last one will be used",
            line.name
        );
        findings.add(Rule::MultipleInstructionsDisallowed, &before.logical.lines, stage, message);
    }
}

/// `API_KEY`, `git_token`; not `PUBLIC_KEY`, `PASSWORD_FILE`, `AUTH_VERSION`.
fn is_secret(name: &str) -> bool {
    const SECRET: [&str; 10] =
        ["apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"];
    const PUBLIC: [&str; 3] = ["public", "file", "version"];
    let has = |words: &[&str]| name.split('_').any(|part| words.iter().any(|word| word.eq_ignore_ascii_case(part)));
    has(&SECRET) && !has(&PUBLIC)
}

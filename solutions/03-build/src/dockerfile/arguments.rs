//! From the pieces of a line to an instruction: how many arguments there have to be, and what they may be.

use super::flags::Flags;
use super::keyword::Keyword;
use super::line::{Arguments, Line};
use super::words::{self, Pair};
use super::{copy, healthcheck, run};
use crate::instruction::{Command, Instruction, Stage};

/// What a line is.
pub(super) enum Meaning {
    Instruction(Instruction),
    /// A FROM: a stage without steps.
    Stage(Stage),
}

pub(super) fn meaning(line: &Line) -> Result<Meaning, String> {
    let Some(keyword) = line.keyword else { return Err(Keyword::unknown(line.name)) };
    let flags = Flags::read(keyword, &line.flags)?;
    if keyword == Keyword::From {
        return from(line, &flags).map(Meaning::Stage);
    }
    instruction(keyword, line, &flags).map(Meaning::Instruction)
}

fn instruction(keyword: Keyword, line: &Line, flags: &Flags) -> Result<Instruction, String> {
    let name = keyword.name();
    Ok(match (keyword, &line.arguments) {
        (Keyword::Add, arguments) => Instruction::Add(copy::read(name, arguments, flags, &line.logical.heredocs)?),
        (Keyword::Copy, arguments) => Instruction::Copy(copy::read(name, arguments, flags, &line.logical.heredocs)?),
        (Keyword::Run, arguments) => Instruction::Run(run::read(arguments, flags, &line.logical.heredocs)?),
        (Keyword::Healthcheck, Arguments::Check(kind, command)) => {
            Instruction::Healthcheck(healthcheck::read(kind, command, flags)?)
        }
        (Keyword::Cmd, arguments) => Instruction::Cmd(command(arguments)),
        (Keyword::Entrypoint, arguments) => Instruction::Entrypoint(command(arguments)),
        (Keyword::Shell, Arguments::Exec(words)) if !words.is_empty() => Instruction::Shell(words.clone()),
        (Keyword::Shell, Arguments::Text(text)) if !text.is_empty() => {
            return Err("SHELL requires the arguments to be in JSON form".to_owned());
        }
        (Keyword::Env, Arguments::Pairs(pairs)) => Instruction::Env(named(name, pairs)?),
        (Keyword::Label, Arguments::Pairs(pairs)) => Instruction::Label(named(name, pairs)?),
        (Keyword::Arg, Arguments::Words(words)) if !words.is_empty() => {
            Instruction::Arg(words.iter().map(|word| arg(word)).collect::<Result<_, _>>()?)
        }
        (Keyword::Expose, Arguments::Words(words)) if !words.is_empty() => {
            let mut ports = words.clone();
            // As Docker's history has them.
            ports.sort();
            Instruction::Expose(ports)
        }
        (Keyword::Volume, Arguments::Words(words) | Arguments::Exec(words)) if !words.is_empty() => {
            let paths: Vec<String> = words.iter().map(|word| word.trim().to_owned()).collect();
            if paths.iter().any(String::is_empty) {
                return Err("VOLUME specified can not be an empty string".to_owned());
            }
            Instruction::Volume(paths)
        }
        (Keyword::Onbuild, Arguments::Text(text)) if !text.is_empty() => onbuild(line, text)?,
        (Keyword::Maintainer, Arguments::Text(text)) if !text.is_empty() => Instruction::Maintainer(text.clone()),
        (Keyword::Stopsignal, Arguments::Text(text)) if !text.is_empty() => Instruction::Stopsignal(text.clone()),
        (Keyword::User, Arguments::Text(text)) if !text.is_empty() => Instruction::User(text.clone()),
        (Keyword::Workdir, Arguments::Text(text)) if !text.is_empty() => Instruction::Workdir(text.clone()),
        (Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir, _) => {
            return Err(format!("{name} requires exactly one argument"));
        }
        _ => return Err(format!("{name} requires at least one argument")),
    })
}

fn command(arguments: &Arguments) -> Command {
    match arguments {
        Arguments::Exec(words) => Command::Exec(words.clone()),
        Arguments::Text(text) => Command::Shell(text.clone()),
        _ => Command::Shell(String::new()),
    }
}

fn named(instruction: &str, pairs: &[Pair]) -> Result<Vec<(String, String)>, String> {
    if pairs.is_empty() {
        return Err(format!("{instruction} requires at least one argument"));
    }
    if pairs.iter().any(|pair| pair.name.is_empty()) {
        return Err(format!("{instruction} names can not be blank"));
    }
    Ok(pairs.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect())
}

fn arg(word: &str) -> Result<(String, Option<String>), String> {
    match word.split_once('=') {
        Some(("", _)) => Err("ARG names can not be blank".to_owned()),
        Some((name, default)) => Ok((name.to_owned(), Some(default.to_owned()))),
        None => Ok((word.to_owned(), None)),
    }
}

fn onbuild(line: &Line, trigger: &str) -> Result<Instruction, String> {
    let name = words::keyword(trigger).0.to_uppercase();
    match name.as_str() {
        "ONBUILD" => return Err("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".to_owned()),
        "MAINTAINER" | "FROM" => return Err(format!("{name} isn't allowed as an ONBUILD trigger")),
        _ => {}
    }
    let heredocs = line.logical.heredocs.iter().map(|body| format!("\n{}{}", body.lines, body.name));
    Ok(Instruction::Onbuild(trigger.to_owned() + &heredocs.collect::<String>()))
}

fn from(line: &Line, flags: &Flags) -> Result<Stage, String> {
    let Arguments::Words(words) = &line.arguments else { return Err(FROM.to_owned()) };
    let (from, name) = match words.as_slice() {
        [from] => (from, None),
        [from, r#as, name] if r#as.eq_ignore_ascii_case("as") => (from, Some(stage_name(name)?)),
        _ => return Err(FROM.to_owned()),
    };
    Ok(Stage {
        from: from.clone(),
        platform: flags.some("platform"),
        name,
        lines: line.logical.lines.clone(),
        text: line.logical.text.trim().to_owned(),
        steps: Vec::new(),
    })
}

const FROM: &str = "FROM requires either one or three arguments";

fn stage_name(written: &str) -> Result<String, String> {
    let name = written.to_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits) {
        return Ok(name);
    }
    Err(format!("invalid name for build stage: {written:?}, name can't start with a number or contain symbols"))
}

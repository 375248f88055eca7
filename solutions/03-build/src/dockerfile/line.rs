//! The pieces of an instruction's line, by the rules that its name has for them.

use super::form;
use super::keyword::Keyword;
use super::lines::Logical;
use super::words::{self, Pair};
use crate::instruction::Command;

/// A line, cut into its pieces.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) logical: &'a Logical,
    /// As it is written.
    pub(crate) name: &'a str,
    /// None: there is no such instruction.
    pub(crate) keyword: Option<Keyword>,
    pub(crate) flags: Vec<String>,
    pub(crate) arguments: Arguments,
}

/// What follows the name and the flags.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// All of it is one.
    Text(String),
    Words(Vec<String>),
    /// A list in JSON.
    Exec(Vec<String>),
    Pairs(Vec<Pair>),
    /// Of a HEALTHCHECK: its kind, and a command.
    Check(String, Command),
}

impl<'a> Line<'a> {
    pub(crate) fn read(logical: &'a Logical, escape: char) -> Result<Self, String> {
        let (name, rest) = words::keyword(&logical.text);
        let keyword = Keyword::named(name);
        let (flags, rest) = words::flags(rest, escape);
        let arguments = arguments(keyword, &rest, escape)?;
        Ok(Self { logical, name, keyword, flags, arguments })
    }
}

fn arguments(keyword: Option<Keyword>, rest: &str, escape: char) -> Result<Arguments, String> {
    Ok(match keyword {
        Some(Keyword::Add | Keyword::Copy | Keyword::Volume) => match form::exec(rest)? {
            Some(words) => Arguments::Exec(words),
            None => Arguments::Words(words::at_blanks(rest)),
        },
        Some(Keyword::Cmd | Keyword::Entrypoint | Keyword::Run | Keyword::Shell) => match form::exec(rest)? {
            Some(words) => Arguments::Exec(words),
            None => Arguments::Text(rest.to_owned()),
        },
        Some(Keyword::Arg) => Arguments::Words(words::split(rest, escape)),
        Some(Keyword::Expose | Keyword::From) => Arguments::Words(words::at_blanks(rest)),
        Some(keyword @ (Keyword::Env | Keyword::Label)) => {
            Arguments::Pairs(words::pairs(keyword.name(), rest, escape)?)
        }
        Some(Keyword::Healthcheck) => {
            let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            Arguments::Check(kind.to_owned(), form::command(command.trim_start())?)
        }
        Some(Keyword::Onbuild) => {
            // What waits has to be well formed; what it means is seen when it is its turn. (And it has no ONBUILD.)
            let (name, after) = words::keyword(rest);
            let keyword = Keyword::named(name).filter(|keyword| *keyword != Keyword::Onbuild);
            arguments(keyword, &words::flags(after, escape).1, escape)?;
            Arguments::Text(rest.to_owned())
        }
        _ => Arguments::Text(rest.to_owned()),
    })
}

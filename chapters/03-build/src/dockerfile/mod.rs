//! From the text of a Dockerfile to its instructions.
//!
//! The text goes through these, one after the other: [`directives`] reads the special comments at its head; [`lines`] makes
//! one line of what was continued over several, and takes the [`heredoc`]s that belong to it; [`words`] splits off the name
//! of the instruction and its [`flags`]; [`arguments`] makes an instruction of the rest; [`stages`] gathers what stands
//! between one FROM and the next. Nothing is expanded here: see [`crate::expand`].
//!
//! What is accepted, and with which words it is refused, is BuildKit's: people's Dockerfiles rely on its corners.

#[path = "../../../../solutions/03-build/src/dockerfile/arguments.rs"]
mod arguments;
#[path = "../../../../solutions/03-build/src/dockerfile/copy.rs"]
mod copy;
#[path = "../../../../solutions/03-build/src/dockerfile/csv.rs"]
mod csv;
#[path = "../../../../solutions/03-build/src/dockerfile/directives.rs"]
pub mod directives;
#[path = "../../../../solutions/03-build/src/dockerfile/flags.rs"]
mod flags;
mod form;
#[path = "../../../../solutions/03-build/src/dockerfile/healthcheck.rs"]
mod healthcheck;
#[path = "../../../../solutions/03-build/src/dockerfile/heredoc.rs"]
mod heredoc;
#[path = "../../../../solutions/03-build/src/dockerfile/keyword.rs"]
mod keyword;
#[path = "../../../../solutions/03-build/src/dockerfile/line.rs"]
mod line;
mod lines;
#[path = "../../../../solutions/03-build/src/dockerfile/mount.rs"]
pub(crate) mod mount;
#[path = "../../../../solutions/03-build/src/dockerfile/run.rs"]
mod run;
#[path = "../../../../solutions/03-build/src/dockerfile/source.rs"]
mod source;
#[path = "../../../../solutions/03-build/src/dockerfile/stages.rs"]
mod stages;
#[path = "../../../../solutions/03-build/src/dockerfile/suggest.rs"]
pub mod suggest;
#[path = "../../../../solutions/03-build/src/dockerfile/words.rs"]
mod words;

pub use directives::Directives;
pub use source::{MAX_SIZE, Source};

use crate::checks::{self, Scope, Warning};
use crate::error::Result;
use crate::instruction::{Dockerfile, Step};
pub(crate) use keyword::Keyword;
pub(crate) use line::{Arguments, Line};
use lines::Logical;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A Dockerfile, read, and what is to be known beside its instructions.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub dockerfile: Dockerfile,
    pub directives: Directives,
    /// Which build checks are wanted where.
    pub checks: Scope,
    /// What the build checks find in the file alone.
    pub warnings: Vec<Warning>,
    /// To show the lines that later turn out to be wrong.
    pub source: Source,
}

/// Reads a Dockerfile. `name` is what errors call it.
///
/// # Errors
/// [`crate::Error::Dockerfile`], which shows the lines.
pub fn parse(name: &str, text: &[u8]) -> Result<Parsed> {
    parse_for(name, text, &BTreeMap::new())
}

/// Reads a Dockerfile for a build with these build arguments, two of which replace directives of the file:
/// BUILDKIT_SYNTAX and BUILDKIT_DOCKERFILE_CHECK.
///
/// # Errors
/// As [`parse`].
pub fn parse_for(name: &str, text: &[u8], given: &BTreeMap<String, String>) -> Result<Parsed> {
    let source = Source::new(name, text)?;
    let (dockerfile, directives, checks, warnings) = read(&source.text, given).map_err(|fault| source.error(fault))?;
    Ok(Parsed { dockerfile, directives, checks, warnings, source })
}

fn read(text: &str, given: &BTreeMap<String, String>) -> Result<(Dockerfile, Directives, Scope, Vec<Warning>), Fault> {
    let (directives, head) = directives::read(text, given)?;
    let logical = lines::logical(text, head, directives.escape)?;
    let lines = cut(&logical, directives.escape)?;
    let dockerfile = stages::gather(&lines)?;
    let mut scope = Scope::new(directives.check.clone());
    for line in &logical {
        scope.comments(*line.lines.start(), &line.comments);
    }
    let warnings = checks::in_the_file(&lines, &dockerfile, &scope);
    Ok((dockerfile, directives, scope, warnings))
}

/// Reads a trigger: an instruction that the ONBUILD of a base image kept. It stands where the FROM stands that names the
/// image.
///
/// # Errors
/// [`crate::Error::Dockerfile`]: it is none, or one that cannot be a trigger.
pub fn trigger(text: &str, lines: &RangeInclusive<usize>) -> Result<Step> {
    let source = Source::new("ONBUILD", text.as_bytes())?;
    let read = |text: &str| {
        let logical = lines::logical(text, 0, '\\')?;
        stages::single(&cut(&logical, '\\')?)
    };
    let step = read(&source.text).map_err(|fault| source.error(fault))?;
    Ok(Step { lines: lines.clone(), ..step })
}

fn cut(logical: &[Logical], escape: char) -> Result<Vec<Line<'_>>, Fault> {
    logical.iter().map(|line| Line::read(line, escape).map_err(|why| Fault::new(why, line.lines.clone()))).collect()
}

/// Something that is wrong, and the lines to blame.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) message: String,
    /// None: no line is.
    pub(crate) lines: Option<RangeInclusive<usize>>,
}

impl Fault {
    fn new(message: impl Into<String>, lines: RangeInclusive<usize>) -> Self {
        Self { message: message.into(), lines: Some(lines) }
    }

    fn of_the_file(message: impl Into<String>) -> Self {
        Self { message: message.into(), lines: None }
    }
}

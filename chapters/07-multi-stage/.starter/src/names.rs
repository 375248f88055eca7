//! What a name means that stands after FROM, `--from=` or `from=`: a stage of the file, a context that the user named, or an
//! image.

use crate::error::{Error, Result};
use build::dockerfile::suggest::suggested;
use layers::Reference;
use std::collections::BTreeMap;

/// A tree of files, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// A stage of this file, counted from 0.
    Stage(usize),
    /// A folder or an archive, of `--build-context`.
    Context(String),
    Image(String),
    /// `scratch`: nothing at all.
    Scratch,
}

/// Which stage `--from=NAME` means; None if it means none, and so is an image. `names` are those of the stages, in the order
/// of the file; most have one, in lower case.
///
/// A number counts the stages from 0. A name is looked for whatever its case; where several stages have it, the last counts.
///
/// # Errors
/// [`Error::NoStage`]: a number that no stage has.
pub fn stage(from: &str, names: &[Option<&str>]) -> Result<Option<usize>> {
    // exercise: 7.1 stage: a number or a name, to the number of a stage
    todo!("exercise 7.1, stage: a number or a name, to the number of a stage")
    // end exercise
}

/// All that a name can mean in this build.
pub(crate) struct Names<'a> {
    /// In the order of the file.
    pub(crate) stages: Vec<Option<&'a str>>,
    /// `--build-context`.
    pub(crate) contexts: &'a BTreeMap<String, String>,
}

impl Names<'_> {
    /// What `FROM name` means: the number of a stage is no name here, and only the stages above exist.
    pub(crate) fn base(&self, name: &str, above: usize) -> Result<Tree> {
        let stage = if name.parse::<i64>().is_ok() { None } else { stage(name, &self.stages[..above])? };
        Ok(self.or_other(stage, name))
    }

    /// What `--from=name` means. A stage below the one that says so cannot be meant, but that is told where it is used.
    pub(crate) fn source(&self, name: &str) -> Result<Tree> {
        Ok(self.or_other(stage(name, &self.stages)?, name))
    }

    /// What `--target` means; without one it is the last stage.
    pub(crate) fn target(&self, name: &str) -> Result<usize> {
        match stage(name, &self.stages) {
            _ if name.is_empty() => Ok(self.stages.len().saturating_sub(1)),
            Ok(Some(stage)) => Ok(stage),
            Ok(None) | Err(_) => {
                let message = format!("target stage {name:?} could not be found");
                let known = self.stages.iter().filter_map(|name| *name);
                Err(Error::NoTarget(suggested(message, &name.to_lowercase(), known)))
            }
        }
    }

    fn or_other(&self, stage: Option<usize>, name: &str) -> Tree {
        match stage {
            Some(stage) => Tree::Stage(stage),
            None if name == "scratch" => Tree::Scratch,
            None => self.context(name).unwrap_or_else(|| Tree::Image(name.to_owned())),
        }
    }

    /// What the user has put in the place of this name. `alpine` and `alpine:latest` are one name.
    pub(crate) fn context(&self, name: &str) -> Option<Tree> {
        if ["scratch", "context"].contains(&name.to_lowercase().as_str()) {
            return None;
        }
        let wanted = familiar(name)?;
        let (name, value) =
            self.contexts.iter().find(|(name, _)| familiar(name).as_deref() == Some(wanted.as_str()))?;
        Some(match value.strip_prefix("docker-image://") {
            Some("scratch") => Tree::Scratch,
            Some(image) => Tree::Image(image.to_owned()),
            None => Tree::Context(name.clone()),
        })
    }
}

fn familiar(name: &str) -> Option<String> {
    let name = Reference::parse(name).ok()?.to_string();
    Some(name.strip_suffix(":latest").unwrap_or(&name).to_owned())
}

//! A whole build: every stage that the target needs, and what the target becomes.

use crate::error::Error;
use crate::graph::{Base, Graph, Node};
use crate::schedule::{self, Failure, Others, Stopped};
use crate::sources::{OfStage, Origins};
use build::stage::{Failed, Plan, State};
use layers::Reference;
use layers::manifest::Platform;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Why there is no result.
#[derive(Debug)]
pub struct Unbuilt {
    pub error: Error,
    /// The lines to blame, if any are.
    pub lines: Option<RangeInclusive<usize>>,
    /// If a step failed, what there was before it.
    pub state: Option<Box<State>>,
}

/// Builds what the target needs, at most `at_once` stages at the same time, and returns what the target became.
///
/// # Errors
/// The first stage that failed; the others were broken off.
pub fn build(origins: &Origins<'_>, platform: &Platform, at_once: usize) -> Result<Arc<State>, Box<Unbuilt>> {
    let graph = origins.graph;
    let stop = || origins.build.cancel.cancel();
    let built = schedule::run(&graph.needed(), at_once, &stop, |stage, others| {
        let node = &graph.stages[stage];
        let from = base(origins, platform, node, others)
            .map_err(|error| Box::new(Unbuilt { error, lines: Some(node.lines.clone()), state: None }))?;
        let image = image_in_full(&node.base);
        let plan = Plan {
            number: graph.reached.range(..stage).count(),
            name: &node.name,
            alone: is_alone(graph),
            image: image.as_deref(),
            steps: &node.steps,
            triggers: node.triggers,
        };
        origins.build.stage(&plan, from, &OfStage { origins, stage, others }).map_err(|failed| Box::new(failed.into()))
    });
    let error = match built {
        Ok(mut built) => match built.remove(&graph.target) {
            Some(state) => return Ok(state),
            None => Error::Stuck(Vec::new()),
        },
        Err(Failure::Stage(_, unbuilt)) => return Err(unbuilt),
        Err(Failure::Thread(kind)) => Error::Thread(kind),
        Err(Failure::Stuck(stages)) => {
            Error::Stuck(stages.iter().map(|stage| graph.stages[*stage].name.clone()).collect())
        }
    };
    Err(Box::new(Unbuilt { error, lines: None, state: None }))
}

/// What a stage begins as.
fn base(origins: &Origins<'_>, platform: &Platform, node: &Node, others: &Others<'_, State>) -> Result<State, Error> {
    match &node.base {
        Base::Scratch => Ok(State::scratch(node.platform.as_ref().unwrap_or(platform).clone())),
        Base::Image(name) => {
            let image = (origins.images)(name).map_err(Error::Origin)?;
            origins.build.store.layer_folders(&image)?;
            Ok(State::of_image(&image))
        }
        Base::Stage(stage) => match others.get(*stage) {
            Ok(state) => Ok(State::clone(&state)),
            Err(Stopped) => Err(build::Error::Cancelled.into()),
        },
    }
}

/// A base image's name, as progress shows it.
fn image_in_full(base: &Base) -> Option<String> {
    match base {
        Base::Image(name) => {
            Some(Reference::parse(name).map_or_else(|_| name.clone(), |name| name.or_latest().canonical()))
        }
        Base::Scratch | Base::Stage(_) => None,
    }
}

/// Whether there is nothing but one stage: then progress does not name it.
fn is_alone(graph: &Graph) -> bool {
    matches!(graph.stages.as_slice(), [only] if only.uses.is_empty())
}

impl From<Failed> for Unbuilt {
    fn from(Failed { error, lines, state }: Failed) -> Self {
        Self { error: error.into(), lines: Some(lines), state: Some(state) }
    }
}

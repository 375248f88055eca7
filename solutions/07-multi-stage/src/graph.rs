//! The stages of a Dockerfile, and what each needs of the others.

use crate::error::{Error, Result};
use crate::names::{Names, Tree};
use crate::reach;
use crate::schedule::Needed;
use build::dockerfile::{self, Parsed};
use build::expand::Args;
use build::instruction::{Copy, Instruction, MountKind, Stage, Step};
use layers::Reference;
use layers::manifest::Platform;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What a build is asked for, as far as its stages go.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// A name or a number; empty is the last stage.
    pub target: &'a str,
    pub args: &'a Args,
    /// `--build-context`: `docker-image://NAME`, or anything else by which [`crate::sources`] finds a folder.
    pub contexts: &'a BTreeMap<String, String>,
    /// The ONBUILD triggers of an image, as they are written.
    pub triggers: &'a dyn Fn(&str) -> Vec<String>,
}

/// A Dockerfile as a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// In the order of the file.
    pub stages: Vec<Node>,
    pub target: usize,
    /// Those that the target needs, itself too.
    pub reached: BTreeSet<usize>,
}

/// A stage, with what its names mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// `first`, or `stage-1` where it has no name.
    pub name: String,
    pub base: Base,
    /// `--platform`, expanded.
    pub platform: Option<Platform>,
    /// With the triggers of its base before its own.
    pub steps: Vec<Step>,
    /// How many of them are triggers.
    pub triggers: usize,
    /// What it takes files from.
    pub uses: Vec<Use>,
    /// Of its FROM.
    pub lines: RangeInclusive<usize>,
    pub text: String,
}

/// What a stage begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    Scratch,
    Image(String),
    Stage(usize),
}

/// A `COPY --from` or a `RUN --mount=from=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// As it is written.
    pub name: String,
    pub tree: Tree,
    /// The target of a mount; None: it is a COPY.
    pub mount: Option<String>,
    pub lines: RangeInclusive<usize>,
}

impl Graph {
    /// Finds out what all names mean, and what the target needs.
    ///
    /// # Errors
    /// In BuildKit's words, with the lines: a name that means nothing, stages that need each other, a stage that needs one
    /// below it.
    pub fn new(parsed: &Parsed, asked: &Asked<'_>) -> Result<Self> {
        let stages = &parsed.dockerfile.stages;
        let names = Names { stages: stages.iter().map(|s| s.name.as_deref()).collect(), contexts: asked.contexts };
        let draft = Draft { parsed, names: &names, args: asked.args };
        let nodes = stages
            .iter()
            .enumerate()
            .map(|(number, stage)| draft.node(number, stage).map_err(|error| error.at(&parsed.source, &stage.lines)));
        let stages = nodes.collect::<Result<_>>()?;
        let mut graph = Self { stages, target: names.target(asked.target)?, reached: BTreeSet::new() };
        graph.refuse_circles(parsed)?;
        graph.pull_triggers(&draft, asked.triggers)?;
        graph.refuse_below(parsed)?;
        Ok(graph)
    }

    // ANCHOR: edges
    /// Of each stage, the stages that it needs.
    #[must_use]
    pub fn edges(&self) -> Vec<Vec<usize>> {
        let needs = |node: &Node| {
            let base = match node.base {
                Base::Stage(stage) => Some(stage),
                _ => None,
            };
            let needs: BTreeSet<usize> = base.into_iter().chain(node.sources()).collect();
            needs.into_iter().collect()
        };
        self.stages.iter().map(needs).collect()
    }
    // ANCHOR_END: edges

    /// What is to be built, and after what.
    #[must_use]
    pub fn needed(&self) -> Needed {
        let from = |stage: &usize| match self.stages[*stage].base {
            Base::Stage(from) => Some(from),
            _ => None,
        };
        self.reached.iter().map(|stage| (*stage, from(stage))).collect()
    }

    /// A FROM only ever means a stage above: in a circle there is a `--from` that means one below, or itself.
    fn refuse_circles(&self, parsed: &Parsed) -> Result<()> {
        let copied: Vec<Vec<usize>> = self.stages.iter().map(|node| node.sources().collect()).collect();
        let Some(mut circle) = reach::circle(&copied) else { return Ok(()) };
        let uppermost = circle.iter().enumerate().min_by_key(|(_, stage)| **stage).map_or(0, |(at, _)| at);
        circle.rotate_left(uppermost);
        let next = circle.get(1).or(circle.first()).map(|next| Tree::Stage(*next));
        let node = &self.stages[circle[0]];
        let lines = node.uses.iter().find(|it| Some(&it.tree) == next.as_ref()).map_or(&node.lines, |it| &it.lines);
        let names = circle.iter().map(|stage| self.stages[*stage].name.clone()).collect();
        Err(Error::Circle(names).at(&parsed.source, lines))
    }

    /// Puts the triggers of its base before the steps of each stage that is reached. They may need further stages.
    fn pull_triggers(&mut self, draft: &Draft<'_>, of_image: &dyn Fn(&str) -> Vec<String>) -> Result<()> {
        let mut seen = BTreeSet::new();
        loop {
            self.reached = reach::reached(self.target, &self.edges());
            let new: Vec<usize> = self.reached.difference(&seen).copied().collect();
            if new.is_empty() {
                return Ok(());
            }
            for stage in new {
                seen.insert(stage);
                let node = &self.stages[stage];
                let triggers = match &node.base {
                    Base::Scratch => continue,
                    Base::Image(image) => of_image(image),
                    Base::Stage(base) => self.stages[*base].onbuild(),
                };
                let triggers = triggers.iter().map(|text| dockerfile::trigger(text, &node.lines));
                let triggers: Vec<Step> = triggers.collect::<build::Result<_>>()?;
                let uses = draft.uses(&triggers)?;
                let node = &mut self.stages[stage];
                node.triggers = triggers.len();
                node.steps.splice(0..0, triggers);
                node.uses.splice(0..0, uses);
            }
        }
    }

    /// A stage is built when those above it are: it cannot take anything from one below.
    fn refuse_below(&self, parsed: &Parsed) -> Result<()> {
        for stage in &self.reached {
            let node = &self.stages[*stage];
            for it in &node.uses {
                if !matches!(it.tree, Tree::Stage(from) if from >= *stage) {
                    continue;
                }
                let (from, stage) = (it.name.clone(), node.name.clone());
                let error = match it.mount.clone() {
                    None => Error::CopyBelow { from, stage },
                    Some(target) => Error::MountBelow { from, target },
                };
                return Err(error.at(&parsed.source, &it.lines));
            }
        }
        Ok(())
    }
}

impl Node {
    /// The stages that it takes files from.
    fn sources(&self) -> impl Iterator<Item = usize> {
        self.uses.iter().filter_map(|it| match it.tree {
            Tree::Stage(stage) => Some(stage),
            _ => None,
        })
    }

    /// What it keeps for those that are built from it.
    fn onbuild(&self) -> Vec<String> {
        let trigger = |step: &Step| match &step.instruction {
            Instruction::Onbuild(text) => Some(text.clone()),
            _ => None,
        };
        self.steps.iter().filter_map(trigger).collect()
    }
}

/// What is known while the graph is drawn.
struct Draft<'a> {
    parsed: &'a Parsed,
    names: &'a Names<'a>,
    args: &'a Args,
}

impl Draft<'_> {
    /// A stage, but for the triggers of its base.
    fn node(&self, number: usize, stage: &Stage) -> Result<Node> {
        let base = self.args.base(stage, self.parsed)?;
        let (from, platform) = (base.from.text, base.platform.map(|platform| platform.text));
        let invalid = |error| Error::Platform(stage.platform.clone().unwrap_or_default(), error);
        let platform = platform.map(|platform| Platform::parse(&platform)).transpose().map_err(invalid)?;
        // A context in the place of a stage replaces all of it.
        let replaced = stage.name.as_ref().and_then(|name| self.names.context(name));
        let mut steps = if replaced.is_some() { Vec::new() } else { stage.steps.clone() };
        let mut uses = self.uses(&steps)?;
        let base = match replaced.map_or_else(|| self.names.base(&from, number), Ok)? {
            Tree::Scratch => Base::Scratch,
            Tree::Stage(stage) => Base::Stage(stage),
            Tree::Image(image) => {
                if !is_id(&image) {
                    Reference::parse(&image).map_err(|error| Error::Image(from, error))?;
                }
                Base::Image(image)
            }
            // A folder is no layer yet: one is made of it.
            Tree::Context(name) => {
                steps.insert(0, copy_all(&name, &stage.lines));
                uses.insert(
                    0,
                    Use { name: name.clone(), tree: Tree::Context(name), mount: None, lines: stage.lines.clone() },
                );
                Base::Scratch
            }
        };
        Ok(Node {
            name: stage.name.clone().unwrap_or_else(|| format!("stage-{number}")),
            base,
            platform,
            steps,
            triggers: 0,
            uses,
            lines: stage.lines.clone(),
            text: stage.text.clone(),
        })
    }

    /// What these steps take from elsewhere.
    fn uses(&self, steps: &[Step]) -> Result<Vec<Use>> {
        let mut uses = Vec::new();
        for step in steps {
            let mut add = |name: &str, mount| {
                let tree = self.names.source(name)?;
                uses.push(Use { name: name.to_owned(), tree, mount, lines: step.lines.clone() });
                Ok(())
            };
            let added = match &step.instruction {
                Instruction::Copy(Copy { from: Some(from), .. }) => add(from, None),
                Instruction::Run(run) => run.mounts.iter().try_for_each(|mount| match &mount.from {
                    Some(from) if matches!(mount.kind, MountKind::Bind | MountKind::Cache) => {
                        add(from, Some(mount.target.clone().unwrap_or_default()))
                    }
                    _ => Ok(()),
                }),
                _ => Ok(()),
            };
            added.map_err(|error: Error| error.at(&self.parsed.source, &step.lines))?;
        }
        Ok(uses)
    }
}

/// The ID of an image, which is as good as its name.
fn is_id(image: &str) -> bool {
    image.len() == 64 && image.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `COPY --from=NAME . /`.
fn copy_all(context: &str, lines: &RangeInclusive<usize>) -> Step {
    let copy = Copy {
        sources: vec![".".to_owned()],
        destination: "/".to_owned(),
        from: Some(context.to_owned()),
        ..Copy::default()
    };
    Step { instruction: Instruction::Copy(copy), lines: lines.clone(), text: format!("COPY --from={context} . /") }
}

//! A graph, to be read by people: what is built, when it begins, and what is not built and why.

use crate::graph::{Base, Graph, Node, Use};
use crate::names::Tree;
use std::fmt;

/// Shows a graph as text.
pub struct Plan<'a>(pub &'a Graph);

/// Shows a graph in the language of Graphviz: `dot -Tsvg`.
pub struct Dot<'a>(pub &'a Graph);

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = self.0;
        writeln!(f, "The target is {}.", graph.stages[graph.target].name)?;
        for (number, stages) in rounds(graph).iter().enumerate() {
            let at_once = if stages.len() > 1 { ", at the same time" } else { "" };
            match number {
                0 => writeln!(f, "\nAt once{at_once}:")?,
                _ => writeln!(f, "\nThen{at_once}, each when its FROM is built:")?,
            }
            for stage in stages {
                self.stage(f, &graph.stages[*stage])?;
            }
        }
        let left = (0..graph.stages.len()).filter(|stage| !graph.reached.contains(stage)).collect::<Vec<_>>();
        if !left.is_empty() {
            writeln!(f, "\nNot built:")?;
        }
        for stage in left {
            writeln!(f, "  {:12} {}", graph.stages[stage].name, self.why_not(stage))?;
        }
        Ok(())
    }
}

impl Plan<'_> {
    fn stage(&self, f: &mut fmt::Formatter<'_>, node: &Node) -> fmt::Result {
        let base = match &node.base {
            Base::Scratch => "scratch",
            Base::Image(image) => image,
            Base::Stage(from) => &self.0.stages[*from].name,
        };
        writeln!(f, "  {:12} FROM {base}", node.name)?;
        for it in &node.uses {
            let verb = if it.mount.is_some() { "mounts" } else { "copies" };
            let what = match &it.tree {
                Tree::Stage(stage) => format!("waits for {} and {verb} from it", self.0.stages[*stage].name),
                Tree::Image(image) => format!("{verb} from the image {image}"),
                Tree::Context(name) => format!("{verb} from the context {name}"),
                Tree::Scratch => format!("{verb} from scratch, where nothing is"),
            };
            writeln!(f, "  {:12} line {}: {what}", "", it.lines.start())?;
        }
        Ok(())
    }

    fn why_not(&self, stage: usize) -> String {
        let graph = self.0;
        let users = graph.edges().into_iter().enumerate().filter(|(_, needs)| needs.contains(&stage));
        let users: Vec<_> = users.map(|(user, _)| graph.stages[user].name.clone()).collect();
        match users.as_slice() {
            [] => "nobody needs it".to_owned(),
            users => format!("only {} would need it", users.join(", ")),
        }
    }
}

/// The stages that are reached, by how many stages of FROM are below each.
fn rounds(graph: &Graph) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut depth = vec![0; graph.stages.len()];
    for stage in &graph.reached {
        if let Base::Stage(from) = graph.stages[*stage].base {
            depth[*stage] = depth[from] + 1;
        }
        if rounds.len() <= depth[*stage] {
            rounds.resize(depth[*stage] + 1, Vec::new());
        }
        rounds[depth[*stage]].push(*stage);
    }
    rounds
}

impl fmt::Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = self.0;
        writeln!(f, "digraph stages {{\n  rankdir=LR")?;
        for (number, node) in graph.stages.iter().enumerate() {
            let style = match number {
                number if number == graph.target => ", peripheries=2",
                number if !graph.reached.contains(&number) => ", style=dotted",
                _ => "",
            };
            writeln!(f, "  s{number} [label={:?}{style}]", node.name)?;
            match &node.base {
                Base::Stage(from) => writeln!(f, "  s{from} -> s{number} [label=\"FROM\"]")?,
                Base::Image(image) => {
                    writeln!(f, "  {image:?} [shape=box]\n  {image:?} -> s{number} [label=\"FROM\"]")?
                }
                Base::Scratch => {}
            }
            for it in &node.uses {
                edge(f, it, number)?;
            }
        }
        writeln!(f, "}}")
    }
}

fn edge(f: &mut fmt::Formatter<'_>, it: &Use, number: usize) -> fmt::Result {
    let label = if it.mount.is_some() { "mount" } else { "COPY" };
    match &it.tree {
        Tree::Stage(from) => writeln!(f, "  s{from} -> s{number} [label=\"{label}\", style=dashed]"),
        Tree::Image(name) | Tree::Context(name) => {
            writeln!(f, "  {name:?} [shape=box]\n  {name:?} -> s{number} [label=\"{label}\", style=dashed]")
        }
        Tree::Scratch => Ok(()),
    }
}

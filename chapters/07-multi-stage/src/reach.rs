//! Ways through the graph. `edges[stage]` are the stages that it needs.

use std::collections::BTreeSet;

/// The stages that the target needs: itself, those that it needs, those that these need, and so on. All others need not be
/// built.
pub fn reached(target: usize, edges: &[Vec<usize>]) -> BTreeSet<usize> {
    // exercise: 7.2 reached: the target, and all that can be reached from it
    todo!("exercise 7.2, reached: the target, and all that can be reached from it")
    // end exercise
}

/// Stages that can never be built, because each of them needs the next, and the last needs the first; None if there are none.
pub fn circle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    // exercise: 7.3 circle: a way that leads to where it has been
    todo!("exercise 7.3, circle: a way that leads to where it has been")
    // end exercise
}

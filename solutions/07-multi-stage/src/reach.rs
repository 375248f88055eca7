//! Ways through the graph. `edges[stage]` are the stages that it needs.

use std::collections::BTreeSet;

/// The stages that the target needs: itself, those that it needs, those that these need, and so on. All others need not be
/// built.
pub fn reached(target: usize, edges: &[Vec<usize>]) -> BTreeSet<usize> {
    // exercise: 7.2 reached: the target, and all that can be reached from it
    let mut reached = BTreeSet::new();
    let mut ahead = vec![target];
    while let Some(stage) = ahead.pop() {
        // Two ways may lead to one stage.
        if reached.insert(stage) {
            ahead.extend(&edges[stage]);
        }
    }
    reached
    // end exercise
}

/// Stages that can never be built, because each of them needs the next, and the last needs the first; None if there are none.
pub fn circle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    // exercise: 7.3 circle: a way that leads to where it has been
    let (mut on_way, mut done) = (vec![false; edges.len()], vec![false; edges.len()]);
    for start in 0..edges.len() {
        // From `start` to where we are.
        let mut way = vec![start];
        while let Some(&stage) = way.last() {
            on_way[stage] = true;
            match edges[stage].iter().find(|next| !done[**next]) {
                Some(next) if on_way[*next] => {
                    return Some(way.into_iter().skip_while(|stage| stage != next).collect());
                }
                Some(next) => way.push(*next),
                None => {
                    // Nothing that it needs leads back to it: on to the one before.
                    (on_way[stage], done[stage]) = (false, true);
                    way.pop();
                }
            }
        }
    }
    None
    // end exercise
}

//! What the target needs.

use multi_stage::reach::reached;
use std::collections::BTreeSet;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

const GRAPH: &str =
    "Read: docs.docker.com, \"Multi-stage builds\", \"Differences between legacy builder and BuildKit\"";

fn set<const N: usize>(stages: [usize; N]) -> BTreeSet<usize> {
    stages.into()
}

#[test]
fn the_target_itself_is_needed() {
    assert_eq!(reached(0, &[vec![]]), set([0]), "a single stage needs no other, but it is to be built itself. {GRAPH}");
    assert_eq!(
        reached(1, &[vec![], vec![], vec![]]),
        set([1]),
        "stages 0 and 2 have nothing to do with stage 1. {GRAPH}"
    );
}

#[test]
fn what_is_needed_by_what_is_needed_is_needed() {
    // tools ◀── program ◀── app; tests needs both, and nobody needs tests.
    let edges = [vec![], vec![0], vec![0, 1], vec![1]];
    assert_eq!(
        reached(3, &edges),
        set([0, 1, 3]),
        "the target 3 needs 1, and 1 needs 0: so 0 is built, too. Nothing on the way needs 2. {GRAPH}"
    );
    assert_eq!(reached(2, &edges), set([0, 1, 2]), "--target 2: now it is 3 that nobody needs. {GRAPH}");
    assert_eq!(
        reached(0, &edges),
        set([0]),
        "--target 0: 1, 2 and 3 need it, which is no reason to build them. {GRAPH}"
    );
}

#[test]
fn two_ways_to_a_stage_are_no_reason_to_go_there_twice() {
    // Each stage needs the two before it: the number of ways doubles with every other stage.
    let edges: Vec<Vec<usize>> = (0..64_usize).map(|stage| (stage.saturating_sub(2)..stage).collect()).collect();
    let (send, receive) = std::sync::mpsc::channel();
    let walker = std::thread::spawn(move || send.send(reached(63, &edges)));
    let reached = match receive.recv_timeout(Duration::from_secs(10)) {
        Ok(reached) => reached,
        Err(RecvTimeoutError::Disconnected) => std::panic::resume_unwind(walker.join().unwrap_err()),
        Err(RecvTimeoutError::Timeout) => panic!(
            "64 stages, each of which needs the two before it, keep you busy for more than 10 seconds: there are 10^13 ways \
             from the last to the first. Where you have been you need not go again. {GRAPH}"
        ),
    };
    assert_eq!(reached, (0..64).collect(), "all of them are needed, each once. {GRAPH}");
}

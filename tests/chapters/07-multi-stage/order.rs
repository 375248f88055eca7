//! When a stage is built.

use multi_stage::schedule::{Needed, ready, run};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const ORDER: &str = "Read: make(1), \"--jobs\"; tsort(1)";

/// base ◀── program, base ◀── tests; docs and the last stage are built from no stage.
fn left() -> Needed {
    [(0, None), (1, Some(0)), (2, Some(0)), (3, None), (4, None)].into()
}

#[test]
fn a_stage_is_ready_when_its_from_is_built() {
    let nothing: BTreeMap<usize, ()> = BTreeMap::new();
    assert_eq!(
        ready(&left(), &nothing, 9),
        [0, 3, 4],
        "nothing is built yet. 0, 3 and 4 are built from an image or from scratch and can begin; 1 and 2 wait for 0. {ORDER}"
    );
    // 0 was begun, and is under way.
    let mut left = left();
    left.remove(&0);
    assert_eq!(
        ready(&left, &nothing, 9),
        [3, 4],
        "0 is neither left nor built: it is under way, and 1 and 2 wait. {ORDER}"
    );
    assert_eq!(
        ready(&left, &[(0, ())].into(), 9),
        [1, 2, 3, 4],
        "now 0 is built, and all the others can begin. {ORDER}"
    );
    assert_eq!(ready(&Needed::new(), &[(0, ())].into(), 9), [0; 0], "nothing is left. {ORDER}");
}

#[test]
fn the_uppermost_begin_first_and_no_more_than_there_is_room_for() {
    let nothing: BTreeMap<usize, ()> = BTreeMap::new();
    for (room, expected) in [(0, vec![]), (1, vec![0]), (2, vec![0, 3]), (3, vec![0, 3, 4])] {
        assert_eq!(
            ready(&left(), &nothing, room),
            expected,
            "there is room for {room}; of those that are ready the uppermost of the file come first, because they can only be \
             waited for by those below them. {ORDER}"
        );
    }
}

#[test]
fn a_whole_build_goes_on_to_its_end() {
    // A ladder: each stage is built from the one two above it, and waits for the result of the one above it.
    let needed: Needed = (0..40_usize).map(|stage| (stage, stage.checked_sub(2))).collect();
    let (order, working, most) = (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicUsize::new(0));
    let result = run(&needed, 3, &|| {}, |stage, others| {
        most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        if let Some(above) = stage.checked_sub(1) {
            working.fetch_sub(1, Ordering::SeqCst);
            others.get(above).map_err(|_| "stopped")?;
            working.fetch_add(1, Ordering::SeqCst);
        }
        order.lock().map_err(|_| "poisoned")?.push(stage);
        working.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, &str>(())
    });
    let built = result.map(|built| built.len());
    assert_eq!(
        built,
        Ok(40),
        "40 stages were to be built, each after the one above it. `Stuck` names those that nobody began, though all they need is \
         built. {ORDER}"
    );
    assert_eq!(
        *order.lock().unwrap(),
        (0..40).collect::<Vec<_>>(),
        "each once, and after the one it waits for. {ORDER}"
    );
    let most = most.into_inner();
    assert!(most <= 3, "at most 3 were to work at the same time; {most} did. {ORDER}");
}

//! Stages that wait for each other.

use multi_stage::reach::circle;

const CIRCLE: &str = "Read: tsort(1); \"Directed acyclic graph\" in any encyclopedia";

#[test]
fn an_honest_file_has_none() {
    assert_eq!(circle(&[]), None, "no stages, no circle");
    assert_eq!(circle(&[vec![], vec![0], vec![1], vec![2]]), None, "each needs the one above it: a line. {CIRCLE}");
    assert_eq!(
        circle(&[vec![], vec![0], vec![0], vec![1, 2]]),
        None,
        "3 needs 1 and 2, which both need 0. Two ways lead to 0, but none leads back: to come to a stage a second time is no \
         circle, unless one is still on the way from it. {CIRCLE}"
    );
}

#[test]
fn a_circle_is_told_from_stage_to_stage() {
    assert_eq!(circle(&[vec![], vec![1]]), Some(vec![1]), "stage 1 copies from itself: the smallest circle. {CIRCLE}");
    for edges in [
        // stage0 needs stage2 needs stage1 needs stage0.
        vec![vec![2], vec![0], vec![1]],
        // With ways into it and out of it.
        vec![vec![2], vec![0], vec![3, 1], vec![], vec![0, 3]],
    ] {
        let found = circle(&edges);
        let Some(found) = found else { panic!("0 needs 2, 2 needs 1, and 1 needs 0: nobody can be first. {CIRCLE}") };
        assert_eq!(
            found.len(),
            3,
            "the circle is 0, 2, 1, in whatever place it begins; you return {found:?}. {CIRCLE}"
        );
        follows(&edges, &found);
    }
}

#[test]
fn the_way_to_a_circle_is_no_part_of_it() {
    // 0 needs 1 needs 2, and only 2 and 3 need each other.
    let edges = [vec![1], vec![2], vec![3], vec![2]];
    let found = circle(&edges).unwrap_or_else(|| panic!("2 and 3 need each other. {CIRCLE}"));
    assert_eq!(
        found.len(),
        2,
        "0 and 1 are not to blame: they only need what cannot be built. The circle is 2 and 3, and you return {found:?}. {CIRCLE}"
    );
    follows(&edges, &found);
}

#[test]
fn a_circle_far_from_the_first_stage_is_found() {
    let edges = [vec![], vec![0], vec![0], vec![4], vec![3], vec![]];
    let found = circle(&edges);
    let found = found.unwrap_or_else(|| {
        panic!("3 and 4 need each other, and cannot be reached from 0, 1 or 2: look everywhere. {CIRCLE}")
    });
    assert_eq!(found.len(), 2, "{found:?}. {CIRCLE}");
    follows(&edges, &found);
}

/// Whether each really needs the next, and the last the first.
fn follows(edges: &[Vec<usize>], circle: &[usize]) {
    for (at, stage) in circle.iter().enumerate() {
        let next = circle[(at + 1) % circle.len()];
        assert!(
            edges[*stage].contains(&next),
            "you return {circle:?}, which says that {stage} needs {next}; but it needs only {:?}. {CIRCLE}",
            edges[*stage]
        );
    }
}

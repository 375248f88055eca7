//! Who starts when.

use crate::compose::order::{Dependencies, start_order};

/// `a: b c, b: c, c:`
fn of(text: &str) -> Dependencies {
    let service = |text: &str| {
        let (name, on) = text.split_once(':').unwrap();
        (name.trim().to_owned(), on.split_whitespace().map(str::to_owned).collect())
    };
    text.split(',').map(service).collect()
}

#[test]
fn who_is_waited_for_comes_first_and_what_is_independent_together() {
    assert_eq!(
        start_order(&of("web: api, api: db cache, worker: db, db:, cache:")).unwrap(),
        [vec!["cache", "db"], vec!["api", "worker"], vec!["web"]]
    );
    assert_eq!(start_order(&Dependencies::new()).unwrap(), Vec::<Vec<String>>::new());
}

#[test]
fn nobody_waits_for_who_does_not_take_part() {
    assert_eq!(start_order(&of("web: db")).unwrap(), [vec!["web"]]);
}

#[test]
fn a_cycle_is_told_from_a_service_to_the_same_again() {
    assert_eq!(
        start_order(&of("a: b, b: c, c: b, d:")).unwrap_err(),
        ["b", "c", "b"],
        "who waits for a cycle is not in it"
    );
    assert_eq!(start_order(&of("a: a")).unwrap_err(), ["a", "a"]);
}

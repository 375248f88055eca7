//! Who starts when.

use crate::compose::order::{Dependencies, start_order};

const READ: &str =
    "Read: compose-spec, \"depends_on\"; docs.docker.com, \"Control startup and shutdown order in Compose\".";

/// `a: b c, b: c, c:`
fn of(text: &str) -> Dependencies {
    let service = |text: &str| {
        let (name, on) = text.split_once(':').unwrap();
        (name.trim().to_owned(), on.split_whitespace().map(str::to_owned).collect())
    };
    text.split(',').map(service).collect()
}

/// `cache db / api worker / web`
#[track_caller]
fn starts(services: &str, groups: &str, why: &str) {
    let text = |groups: Vec<Vec<String>>| groups.iter().map(|group| group.join(" ")).collect::<Vec<_>>().join(" / ");
    let found = start_order(&of(services)).map(text);
    assert_eq!(found, Ok(groups.to_owned()), "{services}\n{why}. {READ}");
}

#[test]
fn who_is_waited_for_comes_first() {
    starts("pinger: server, server:", "server / pinger", "the pinger waits for the server, whatever the alphabet says");
    starts("a: b, b: c, c:", "c / b / a", "a waits for b, and so for c as well");
    let nobody = start_order(&Dependencies::new());
    assert_eq!(nobody, Ok(Vec::new()), "where there are no services, there are no groups. {READ}");
}

#[test]
fn what_is_independent_starts_at_the_same_time() {
    starts(
        "web: api, api: db cache, worker: db, db:, cache:",
        "cache db / api worker / web",
        "the worker needs nothing but the db, and need not wait for the api; within a group they are sorted",
    );
    starts(
        "d: a b c, c: b, b: a, a:, e: c",
        "a / b / c / d e",
        "not how many it waits for decides, but how long the longest of the ways is: e waits for one only",
    );
}

#[test]
fn nobody_waits_for_who_does_not_take_part() {
    starts("web: db", "web", "`up --no-deps web`: the db is none of these services");
    starts("web: db api, api: db", "api / web", "the db is none of these, but the api is");
}

#[test]
fn a_cycle_is_told_from_a_service_to_the_same_again() {
    for (services, cycle, why) in [
        ("a: a", "a a", "nobody can wait for himself"),
        ("a: b, b: c, c: b, d:", "b c b", "a waits for a cycle, and is not in it"),
        ("a: b, b: c, c: a, d: a", "a b c a", "nor is d"),
    ] {
        let found = start_order(&of(services)).map_err(|cycle| cycle.join(" "));
        assert_eq!(found, Err(cycle.to_owned()), "{services}: {why}. {READ}");
    }
}

//! What is reused, and what is not.

use crate::place::{Place, ends};
use crate::support::Sandbox;

#[test]
fn reuse_ends_at_the_first_difference() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nRUN echo \"a\"\nRUN echo \"b\"\n");
        assert_eq!(ends(&place.build(&["-t", "one"])), "DONE DONE");
        assert_eq!(ends(&place.build(&["-t", "one"])), "CACHED CACHED");
        // The same beginning: it is shared, up to where it differs.
        place.dockerfile("FROM workbench\nRUN echo \"a\"\nRUN echo \"poulet\"\n");
        assert_eq!(ends(&place.build(&["-t", "two"])), "CACHED DONE");
        // The same instructions on another base have nothing in common.
        place.dockerfile("FROM workbench\nRUN touch /another\n").build(&["-t", "another"]);
        place.dockerfile("FROM another\nRUN echo \"a\"\nRUN echo \"b\"\n");
        assert_eq!(ends(&place.build(&["-t", "three"])), "DONE DONE");
        // A difference at the beginning makes all of it new.
        place.dockerfile("FROM workbench\nRUN echo \"b\"\nRUN echo \"a\"\nRUN echo \"b\"\n");
        assert_eq!(ends(&place.build(&["-t", "four"])), "DONE DONE DONE");
    });
}

#[test]
fn no_cache_makes_all_of_it_new_and_the_image_is_the_same() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench AS base\nWORKDIR /a\nFROM base AS last\nWORKDIR /b\n");
        let first = String::from_utf8(place.output(&["-q"]).stdout).unwrap();
        assert!(first.starts_with("sha256:") && first.len() == 72, "{first:?}");
        for flag in ["--no-cache", "--nocache"] {
            assert_eq!(ends(&place.build(&[flag, "-t", "again"])), "DONE DONE", "{flag}");
            assert_eq!(sandbox.ok(&["image", "inspect", "-f", "{{.Id}}", "again"]), first.trim());
        }
        assert_eq!(ends(&place.build(&[])), "CACHED CACHED");
        assert_eq!(ends(&place.build(&["--no-cache-filter", "last"])), "CACHED DONE");
    });
}

#[test]
fn a_changed_file_rebuilds_what_comes_after_it() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.file("early", "1").file("late", "1").file(".dockerignore", "ignored");
        place.dockerfile("FROM workbench\nCOPY early /\nRUN cat /early > /copy\nCOPY late /\nRUN cat /late > /copy\n");
        place.build(&[]);
        // A new time is no change, and what nobody copies does not count.
        let now = std::fs::File::options().append(true).open(place.path("early")).unwrap();
        now.set_modified(std::time::SystemTime::now()).unwrap();
        place.file("ignored", "x");
        assert_eq!(ends(&place.build(&[])), "CACHED CACHED CACHED CACHED");
        place.file("late", "2");
        assert_eq!(ends(&place.build(&[])), "CACHED CACHED DONE DONE");
        assert_eq!(place.run(&[], &["cat", "/copy"]), "2");
        place.file("early", "2");
        assert_eq!(ends(&place.build(&[])), "DONE DONE DONE DONE");
        // It was there before.
        place.file("early", "1").file("late", "1");
        assert_eq!(ends(&place.build(&[])), "CACHED CACHED CACHED CACHED");
    });
}

#[test]
fn an_argument_counts_from_where_it_is_declared() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nRUN echo before\nARG V=1\nRUN echo $V > /v\nCMD cat /v\n");
        assert_eq!(place.run(&[], &[]), "1");
        assert_eq!(ends(&place.build(&["--build-arg", "V=2"])), "CACHED DONE");
        assert_eq!(place.run(&["--build-arg", "V=2"], &[]), "2");
        // What is only told does not count for what is made.
        place.dockerfile("FROM workbench\nLABEL new=label\nRUN echo before\nARG V=1\nRUN echo $V > /v\nCMD cat /v\n");
        assert_eq!(ends(&place.build(&[])), "CACHED CACHED");
        let unknown = place.build(&["--build-arg", "NOBODY=asks"]);
        assert!(unknown.contains("One or more build-args [NOBODY] were not consumed"), "{unknown}");
    });
}

#[test]
fn why_a_step_was_or_was_not_reused() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.file("file", "1").dockerfile("FROM workbench\nCOPY file /\nRUN cat /file\n");
        place.build(&["--explain"]);
        let same = place.build(&["--explain"]);
        assert_eq!(same.matches("nothing that it depends on has changed").count(), 2, "{same}");
        place.file("file", "2");
        let changed = place.build(&["--explain"]);
        assert!(changed.lines().any(|line| line.contains("file") && line.contains("changed")), "{changed}");
        let told = place.build(&["--explain", "--no-cache"]);
        assert!(told.contains("--no-cache was given"), "{told}");
        assert!(!place.build(&[]).contains("depends on"), "not asked for");
    });
}

#[test]
fn the_cache_is_cleared_away() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nRUN head -c 1000000 /dev/zero > /big\n");
        place.build(&["-t", "kept"]);
        place.dockerfile("FROM workbench\nRUN head -c 2000000 /dev/zero > /big\n");
        place.build(&["-t", "lost"]);
        sandbox.ok(&["rmi", "lost"]);
        let pruned = sandbox.ok(&["builder", "prune", "-af"]);
        assert!(pruned.starts_with("Deleted build cache objects:\n"), "{pruned}");
        // What no image has: as a blob, and as files.
        assert!(pruned.contains("\n\nTotal reclaimed space: 4.0"), "{pruned}");
        assert_eq!(sandbox.ok(&["builder", "prune", "-af"]), "Total reclaimed space: 0B");
        sandbox.ok(&["run", "--rm", "kept", "test", "-e", "/big"]);
        assert_eq!(ends(&place.build(&[])), "DONE");
    });
}

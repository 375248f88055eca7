//! 5.4: who gets a place that several want.

use super::points::{bind, nameless, tmpfs, volume};
use volumes::settle::settle;
use volumes::{MountPoint, Source};

const READ: &str = "Read: docs.docker.com/reference/cli/docker/container/run, \"Mount volumes from container (--volumes-from)\", and the \
    task, which says who comes before whom.";

/// `place: what`, a line each, sorted.
fn told(points: &[MountPoint]) -> String {
    let line = |point: &MountPoint| match &point.source {
        Source::Bind(bind) => format!("{}: {} of the host", point.destination, bind.path),
        Source::Volume(volume) => format!("{}: the volume {}", point.destination, volume.name),
        Source::Tmpfs(_) => format!("{}: memory", point.destination),
    };
    let mut lines: Vec<_> = points.iter().map(line).collect();
    lines.sort();
    lines.join("\n")
}

#[track_caller]
fn expect(found: volumes::Result<Vec<MountPoint>>, expected: &[&str], why: &str) {
    let found = found.map_or_else(|error| format!("refused: {error}"), |points| told(&points));
    let expected = expected.join("\n");
    assert!(found == expected, "\nexpected:\n{expected}\nfound:\n{found}\n{why}. {READ}\n");
}

#[test]
fn where_nobody_is_in_the_way_all_are_there() {
    let from = vec![volume("lent", "/lent")];
    let own = vec![bind("/srv", "/own"), tmpfs("/own/memory")];
    let declared = vec![nameless("new", "/declared")];
    let all = ["/declared: the volume new", "/lent: the volume lent", "/own/memory: memory", "/own: /srv of the host"];
    expect(
        settle(from, own, declared, &["/memory".to_owned()]),
        &all,
        "nobody wants the place of another; one beneath another is its own",
    );
}

#[test]
fn the_user_comes_before_other_containers_and_the_image_last() {
    let from = || vec![volume("lent", "/a"), volume("lent", "/b")];
    let declared = || vec![nameless("new", "/a"), nameless("new", "/b"), nameless("new", "/c")];
    let own = vec![volume("mine", "/a")];
    let shared = ["/a: the volume mine", "/b: the volume lent", "/c: the volume new"];
    expect(settle(from(), own, declared(), &[]), &shared, "all three want /a, two want /b, one wants /c");
    let lent = ["/a: the volume lent", "/b: the volume lent", "/c: the volume new"];
    expect(settle(from(), Vec::new(), declared(), &[]), &lent, "the user wants nothing");
}

#[test]
fn of_two_who_lend_a_place_the_later_one_does() {
    let from = vec![volume("first", "/a"), volume("first", "/b"), volume("second", "/a")];
    let why = "`--volumes-from first --volumes-from second`, and both have something on /a";
    expect(settle(from, Vec::new(), Vec::new(), &[]), &["/a: the volume second", "/b: the volume first"], why);
}

#[test]
fn the_user_cannot_mean_two_things_in_one_place() {
    let own = vec![volume("one", "/a"), bind("/srv", "/b"), volume("two", "/a")];
    expect(settle(Vec::new(), own, Vec::new(), &[]), &["refused: Duplicate mount point: /a"], "`-v one:/a -v two:/a`");
    let own = vec![volume("one", "/a")];
    let why = "`-v one:/a --tmpfs /a`: both are the user's";
    expect(settle(Vec::new(), own, Vec::new(), &["/a".to_owned()]), &["refused: Duplicate mount point: /a"], why);
}

#[test]
fn a_tmpfs_of_the_users_keeps_its_place_from_all_others() {
    let (from, declared) = (vec![volume("lent", "/a")], vec![nameless("new", "/a")]);
    let why = "`--tmpfs /a` is the user's wish, and has the place already. What is lent and what the image declares give way, without an error";
    expect(settle(from, Vec::new(), declared, &["/a".to_owned()]), &[], why);
}

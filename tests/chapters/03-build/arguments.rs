//! What an ARG is worth, and where.

use std::collections::BTreeMap;

use build::dockerfile::parse;
use build::expand::Args;

const SCOPE: &str = "Read: Dockerfile reference, \"ARG\", \"Scope\", and \"Understand how ARG and FROM interact\"";
const FILE: &[u8] = b"ARG VERSION=3.22\nARG UNUSED\nFROM alpine:$VERSION\n";

/// What `ARG name`, or `ARG name=default`, is worth in the stage of [`FILE`], in which COLOUR is blue already.
fn worth(given: &[(&str, &str)], name: &str, default: Option<&str>) -> Option<String> {
    let given: BTreeMap<_, _> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let parsed = parse("Dockerfile", FILE).unwrap();
    let args = Args::new(&parsed, &given, [("TARGETARCH", "arm64".to_owned())]).unwrap();
    let lookup = |name: &str| (name == "COLOUR").then(|| "blue".to_owned());
    args.declared(name, default, &lookup, '\\').unwrap().map(|expanded| expanded.text)
}

#[test]
fn what_is_given_counts_before_the_default() {
    assert_eq!(
        worth(&[], "MODE", Some("release")).as_deref(),
        Some("release"),
        "ARG MODE=release, and nothing given. {SCOPE}"
    );
    assert_eq!(
        worth(&[("MODE", "debug")], "MODE", Some("release")).as_deref(),
        Some("debug"),
        "ARG MODE=release, built with --build-arg MODE=debug: the default is for those who say nothing. {SCOPE}"
    );
    assert_eq!(
        worth(&[("MODE", "debug")], "MODE", None).as_deref(),
        Some("debug"),
        "ARG MODE, with --build-arg MODE=debug"
    );
    assert_eq!(
        worth(&[("MODE", "")], "MODE", Some("release")).as_deref(),
        Some(""),
        "also nothing can be given: MODE="
    );
    assert_eq!(
        worth(&[("OTHER", "debug")], "MODE", None),
        None,
        "ARG MODE, and only another was given: it is not set, which is not the same as empty. {SCOPE}"
    );
}

#[test]
fn before_the_first_from_is_another_scope() {
    assert_eq!(
        worth(&[], "VERSION", None).as_deref(),
        Some("3.22"),
        "`ARG VERSION=3.22` stands before the FROM, and is known to a stage only by its name: `ARG VERSION`. {SCOPE}"
    );
    assert_eq!(
        worth(&[], "VERSION", Some("1")).as_deref(),
        Some("1"),
        "`ARG VERSION=1` in the stage has a default of its own, and what stands before the FROM is not asked. {SCOPE}"
    );
    assert_eq!(
        worth(&[("VERSION", "edge")], "VERSION", None).as_deref(),
        Some("edge"),
        "what is given is given to both. {SCOPE}"
    );
    assert_eq!(
        worth(&[], "UNUSED", None),
        None,
        "`ARG UNUSED` before the FROM is worth nothing, so it is nothing here"
    );
    assert_eq!(
        worth(&[], "TARGETARCH", None).as_deref(),
        Some("arm64"),
        "the platform is known to the FROM lines without an ARG, and to a stage with one. {SCOPE}"
    );
}

#[test]
fn a_default_may_name_what_came_before() {
    assert_eq!(
        worth(&[], "SHADE", Some("dark-$COLOUR")).as_deref(),
        Some("dark-blue"),
        "ARG SHADE=dark-$COLOUR, where the stage has COLOUR=blue: `lookup` knows it, `value_of` replaces it. {SCOPE}"
    );
    assert_eq!(
        worth(&[], "FULL", Some("v$VERSION")).as_deref(),
        Some("v"),
        "VERSION is an ARG before the FROM, and nobody named it in this stage: there it is nothing. {SCOPE}"
    );
    assert_eq!(
        worth(&[("SHADE", "$COLOUR")], "SHADE", Some("x")).as_deref(),
        Some("$COLOUR"),
        "what is given is taken as it is: nothing is replaced in it. {SCOPE}"
    );
}

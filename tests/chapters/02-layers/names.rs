//! The names of images.

use layers::Reference;

const NAMES: &str = "Read: docs.docker.com/reference/cli/docker/image/tag, \"Description\"; the rules are those of \
    github.com/distribution/reference, normalize.go, splitDockerDomain";

/// What a name that a person types is complete.
fn complete(name: &str) -> String {
    Reference::parse(name).map_or_else(|error| error.to_string(), |reference| reference.or_latest().canonical())
}

#[test]
fn short_names_are_completed() {
    let digest = format!("alpine@sha256:{}", "0".repeat(64));
    let names = [
        "alpine",
        "alpine:3.22",
        &digest,
        "library/alpine",
        "docker.io/alpine",
        "index.docker.io/alpine",
        "owner/app",
        "owner/team/app:1",
        "ghcr.io/owner/app",
        "registry.example/app",
        "localhost/app",
        "localhost:5000/app:1",
        "Registry/app",
    ];
    let lines: Vec<String> = names.iter().map(|name| format!("{name} -> {}", complete(name))).collect();
    insta::with_settings!({description => format!("(-: expected, +: yours) What a person types, and what it means in full. What stands before the \
        first / is a registry only if it has a dot, a colon or an upper-case letter, or is localhost; else it is a name on \
        Docker Hub. A name of one component on Docker Hub is an official image: library/. {NAMES}")}, {
        insta::assert_snapshot!(lines.join("\n"));
    });
}

#[test]
fn the_first_part_of_a_name_is_a_registry_or_somebody() {
    for (name, registry, repository, why) in [
        ("owner/app", "docker.io", "owner/app", "`owner` could be somebody on Docker Hub"),
        ("alpine", "docker.io", "library/alpine", "a single name on Docker Hub is an official image"),
        ("docker.io/owner/app", "docker.io", "owner/app", "the domain was given"),
        ("index.docker.io/a/b", "docker.io", "a/b", "the old name of Docker Hub becomes the one of today"),
        ("ghcr.io/app", "ghcr.io", "app", "`library/` is for Docker Hub alone"),
        ("host:5000/app", "host:5000", "app", "nobody on Docker Hub has a colon in the name: this is a port"),
        ("localhost/app", "localhost", "app", "`localhost` is always this machine"),
        ("alpine:5000", "docker.io", "library/alpine", "without a / the colon begins a tag"),
    ] {
        let reference = Reference::parse(name).unwrap_or_else(|error| panic!("{name}: {error}. {NAMES}"));
        assert_eq!((reference.domain(), reference.path()), (registry, repository), "of {name}: {why}. {NAMES}");
    }
}

#[test]
fn what_was_completed_is_shown_short_again() {
    for name in ["alpine:latest", "owner/app:1", "ghcr.io/owner/app:1", "localhost:5000/app:1"] {
        let shown = Reference::parse(&complete(name)).unwrap().to_string();
        assert_eq!(
            shown, name,
            "the complete name means the same as the short one, which is what people are shown. {NAMES}"
        );
    }
}

//! 6.3: where a redirect leads, and what goes along.

use super::expect::expect;
use registry::{Endpoint, redirect};

const READ: &str = "Read: RFC 9110, section 10.2.2, \"Location\", and curl(1), \"--location-trusted\".";

fn secure() -> Endpoint {
    Endpoint { base: "https://registry.example.org".to_owned(), verify: true, mirror: false }
}

fn told(registry: &Endpoint, at: &str, location: &str) -> String {
    match redirect::follow(registry, at, location) {
        Ok(hop) => format!("{}, {} password", hop.url, if hop.authorized { "with" } else { "without" }),
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn a_location_is_relative_to_who_answered() {
    let at = "https://storage.example.com/blob?x=1";
    for (location, expected) in [
        ("/other", "https://storage.example.com/other, without password"),
        ("//third.example.net/blob", "https://third.example.net/blob, without password"),
        ("https://third.example.net/blob?y=2", "https://third.example.net/blob?y=2, without password"),
    ] {
        let why = format!(
            "of the location {location:?}, in an answer of {at}: what it leaves out is as in the address that answered, and not as \
             where the request began. {READ}"
        );
        expect(told(&secure(), at, location), expected.to_owned(), &why);
    }
}

#[test]
fn what_is_no_web_address_is_refused() {
    let at = "https://registry.example.org/v2/app/blobs/x";
    for location in
        ["file:///etc/passwd", "ftp://storage/x", "", "blob", "https://me@storage/x", "//me@storage/x", "//"]
    {
        let found = told(&secure(), at, location);
        let why = format!(
            "of the location {location:?}: a registry that is not ours says where we go, and it may not have us read our own files. The \
             message has the address that answered and the location in it."
        );
        let expected = format!("it redirects to what is no web address: {location:?}");
        let good = found.starts_with("refused: ") && found.contains(&expected) && found.contains(at);
        assert!(good, "\nexpected: refused: … {expected}\nfound:    {found}\n{why} {READ}\n");
    }
}

#[test]
fn https_does_not_end_on_the_way() {
    let (at, location) = ("https://registry.example.org/v2/app/blobs/x", "http://storage.example.com/x");
    let found = told(&secure(), at, location);
    let expected = "it redirects from HTTPS to plain HTTP: \"http://storage.example.com/x\"";
    let why = "whoever is on the way could read and change what comes, of a registry that nobody called insecure";
    let good = found.starts_with("refused: ") && found.contains(expected);
    assert!(good, "\nexpected: refused: … {expected}\nfound:    {found}\n{why}. {READ}\n");
    let local = Endpoint { base: "http://localhost:5000".to_owned(), verify: false, mirror: false };
    let why = "a registry on this machine may be insecure, and so may be whom it sends us to";
    expect(
        told(&local, "http://localhost:5000/v2/", "http://storage.example.com/x"),
        "http://storage.example.com/x, without password".to_owned(),
        why,
    );
}

#[test]
fn where_the_password_goes() {
    let at = "https://registry.example.org/v2/app/blobs/x";
    let locations = [
        "/v2/app/blobs/y",
        "https://registry.example.org/elsewhere",
        "https://registry.example.org:443/elsewhere",
        "https://REGISTRY.example.org/elsewhere",
        "https://registry.example.org:8443/elsewhere",
        "https://registry.example.org.evil.example/elsewhere",
        "https://storage.registry.example.org/elsewhere",
        "https://example.org/elsewhere",
        "//registry.example.org/elsewhere",
        "https://storage.example.com/?for=https://registry.example.org",
    ];
    let lines = locations
        .map(|location| format!("{location:<65} {}", told(&secure(), at, location).rsplit(", ").next().unwrap_or("")));
    insta::with_settings!({description => format!(
        "(-: expected, +: yours) Where a redirect of https://registry.example.org leads, and whether Authorization goes along. {READ}"
    )}, {
        insta::assert_snapshot!(lines.join("\n"));
    });
}

#[test]
fn who_once_left_the_registry_shows_nothing_on_the_way() {
    let at = "https://storage.example.com/x";
    let why = format!(
        "{at} was reached by a redirect, and now sends us to itself. It is not the registry, though it is the one who answered last. {READ}"
    );
    expect(told(&secure(), at, "/y"), "https://storage.example.com/y, without password".to_owned(), &why);
    let why = "the registry is the registry, whoever sends us there";
    let back = "https://registry.example.org/v2/y";
    expect(told(&secure(), at, back), format!("{back}, with password"), why);
}

//! Which repository a registry can take a layer from.

use layers::{Digest, Reference};
use registry::mount::{Known, source};

fn known(name: &str, blobs: &[&str]) -> Known {
    let blobs: Vec<Digest> = blobs.iter().map(|blob| Digest::of(blob.as_bytes())).collect();
    let name = Reference::parse(name).unwrap();
    // As a pull or a push leaves it, if it has no tag.
    let name = if name.is_name_only() { name.with_digest(Digest::of(b"manifest")) } else { name };
    Known { name, blobs }
}

fn found(target: &str, known: &[Known]) -> Option<String> {
    source(&Reference::parse(target).unwrap(), &Digest::of(b"layer"), known)
}

#[test]
fn another_repository_of_the_same_registry_has_it() {
    let images = [known("r.io/base", &["other", "layer"])];
    assert_eq!(found("r.io/app", &images).as_deref(), Some("base"));
}

#[test]
fn nobody_there_has_it() {
    let images = [known("r.io/base", &["other"]), known("q.io/base", &["layer"]), known("r.io/app", &["layer"])];
    assert_eq!(found("r.io/app", &images), None, "another blob, another registry, and the repository itself");
}

#[test]
fn the_repository_itself_has_it() {
    assert_eq!(found("r.io/app", &[known("r.io/base", &["layer"]), known("r.io/app", &["layer"])]), None);
}

#[test]
fn a_name_that_was_only_given_here_proves_nothing() {
    assert_eq!(found("r.io/app", &[known("r.io/base:1", &["layer"])]), None);
}

#[test]
fn the_nearest_of_several_is_taken() {
    let images = ["r.io/z", "r.io/team/base", "r.io/team/x/y", "r.io/other/base"].map(|name| known(name, &["layer"]));
    assert_eq!(found("r.io/team/x/app", &images).as_deref(), Some("team/x/y"));
    assert_eq!(found("r.io/team/app", &images).as_deref(), Some("team/base"));
}

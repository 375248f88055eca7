//! 6.5: which repository a registry can take a layer from.

use super::expect::expect;
use layers::{Digest, Reference};
use registry::mount::{Known, source};

const READ: &str = "Read: OCI distribution-spec, \"Mounting a blob from another repository\".";

/// An image in a registry: its name has a digest, as a pull or a push leaves it, unless it has a tag.
fn known(name: &str, blobs: &[&str]) -> Known {
    let blobs: Vec<Digest> = blobs.iter().map(|blob| Digest::of(blob.as_bytes())).collect();
    let name = Reference::parse(name).unwrap();
    let name = if name.is_name_only() { name.with_digest(Digest::of(b"manifest")) } else { name };
    Known { name, blobs }
}

/// Where the blob "layer" comes from, for a push to `target`.
#[track_caller]
fn check(target: &str, known: &[Known], expected: &str, why: &str) {
    let found = source(&Reference::parse(target).unwrap(), &Digest::of(b"layer"), known);
    let found = found.unwrap_or_else(|| "nowhere".to_owned());
    expect(found, expected.to_owned(), &format!("for a push to {target}: {why}. {READ}"));
}

#[test]
fn another_repository_of_the_same_registry_has_it() {
    let images = [known("r.io/other", &["another"]), known("r.io/base", &["another", "layer"])];
    check("r.io/app", &images, "base", "r.io has the layer in its repository base, and need only be told so");
}

#[test]
fn nobody_there_has_it() {
    check("r.io/app", &[], "nowhere", "we know of no image at all");
    check("r.io/app", &[known("r.io/base", &["another"])], "nowhere", "what r.io/base has is another blob");
    let why = "q.io is another registry: r.io cannot take anything from there";
    check("r.io/app", &[known("q.io/base", &["layer"])], "nowhere", why);
}

#[test]
fn the_repository_itself_has_it() {
    let why = "r.io/app has the layer already. To ask whether it is there is cheaper than to mount it";
    check("r.io/app", &[known("r.io/app", &["layer"])], "nowhere", why);
    check("r.io/app", &[known("r.io/base", &["layer"]), known("r.io/app", &["layer"])], "nowhere", why);
    let images = [known("q.io/app", &["layer"]), known("r.io/base", &["layer"]), known("r.io/app", &["another"])];
    let why = "an app on another registry is not this one, nor is an image of the repository that lacks the layer";
    check("r.io/app", &images, "base", why);
}

#[test]
fn a_name_that_was_only_given_here_proves_nothing() {
    let why = "r.io/base:1 has no digest: nobody has pulled or pushed it, somebody has only called an image so";
    check("r.io/app", &[known("r.io/base:1", &["layer"])], "nowhere", why);
    check("r.io/app", &[known("r.io/app:1", &["layer"]), known("r.io/base", &["layer"])], "base", why);
}

#[test]
fn the_nearest_of_several_is_taken() {
    let images = ["r.io/z", "r.io/team/base", "r.io/team/x/y", "r.io/tea", "r.io/x/app/team/x"];
    let images = images.map(|name| known(name, &["layer"]));
    let why = "most parts of the path in common, from the first on. A part is equal or it is not, and what comes after one that is \
               not, does not count";
    check("r.io/team/x/app", &images, "team/x/y", why);
    let images = ["r.io/z", "r.io/team/base", "r.io/other/app"].map(|name| known(name, &["layer"]));
    check("r.io/team/app", &images, "team/base", why);
}

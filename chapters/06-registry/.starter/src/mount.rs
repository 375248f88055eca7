//! A layer that is pushed may be there already, in another repository of the same registry: then it need not travel
//! again.

use layers::{Digest, Reference};

/// An image of ours, under a name that says where it came from or went to, and the blobs it is made of.
#[derive(Clone, Debug)]
pub struct Known {
    pub name: Reference,
    pub blobs: Vec<Digest>,
}

/// The repository from which the registry of `target` can take this blob, if there is one. `known` is what we have of images.
///
/// * It has to be a repository of the same registry (a name's `domain`), of which we have an image with this blob.
/// * An image is in a registry only if its name has a digest: that is what a pull or a push leaves. A name with a tag may
///   only be what somebody hopes for.
/// * If the repository that is pushed to (`path`) is one of these itself, there is none to take it from: it is enough to ask
///   there whether it has the blob.
/// * Of several it is the one whose path has the most parts in common with the target's, from the first on: we may read there,
///   most likely. `team/app` takes from `team/base` rather than from `other/app`.
///   Where several are equally near, any of them is right.
#[must_use]
pub fn source(target: &Reference, blob: &Digest, known: &[Known]) -> Option<String> {
    // exercise: 6.5 source: who there has it, and is nearest
    todo!("exercise 6.5, source: who there has it, and is nearest")
    // end exercise
}

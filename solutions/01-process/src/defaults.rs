//! Docker's default specification.
#![allow(clippy::todo)]

use crate::oci;

/// What `docker run` asks for when nothing is asked: mounts, namespaces, masked and read-only paths, capabilities, seccomp.
pub fn spec() -> oci::Spec {
    todo!()
}

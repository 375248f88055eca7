//! Pieces of files.

use crate::compose::schema::{Scope, Shape};
use crate::compose::tree::Node;
use crate::compose::{SERVICE, canonical, yaml};

/// A service in its long form.
pub(super) fn service(text: &str) -> Node {
    canonical_of(text, &SERVICE)
}

fn canonical_of(text: &str, shape: &Shape) -> Node {
    let node = yaml::parse("compose.yaml", text).unwrap().remove(0);
    canonical::canonical(node, shape, &Scope { key: String::new(), raw: false, base: None }).unwrap()
}

//! The suite of the chapter, which both of its crates share.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate chapter_2 as layers;
#[path = "../../../tests/chapters/02-layers.rs"]
mod suite;

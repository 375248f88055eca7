//! The suite of the chapter, which both of its crates share.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate chapter_6 as registry;
#[path = "../../../tests/chapters/06-registry.rs"]
mod suite;

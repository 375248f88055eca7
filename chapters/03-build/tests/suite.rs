//! The suite of the chapter, which both of its crates share.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate chapter_3 as build;
#[path = "../../../tests/chapters/03-build.rs"]
mod suite;

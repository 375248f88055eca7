//! The suite of the chapter, which both of its crates share.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate chapter_5 as volumes;
#[path = "../../../tests/chapters/05-volumes.rs"]
mod suite;

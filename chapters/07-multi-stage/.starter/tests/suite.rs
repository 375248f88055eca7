//! The suite of the chapter, which both of its crates share.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate chapter_7 as multi_stage;
#[path = "../../../tests/chapters/07-multi-stage.rs"]
mod suite;

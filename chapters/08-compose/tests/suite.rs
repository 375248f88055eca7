//! The suite of the chapter, which both of its crates share.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate chapter_8 as compose;
#[path = "../../../tests/chapters/08-compose.rs"]
mod suite;

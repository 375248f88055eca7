//! The examiner of chapter 4, on your crate.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate chapter_4 as network;

#[path = "../../../tests/chapters/04-network.rs"]
mod suite;

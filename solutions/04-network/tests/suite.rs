//! The examiner of chapter 4, on the reference crate.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate solution_4 as network;

#[path = "../../../tests/chapters/04-network.rs"]
mod suite;

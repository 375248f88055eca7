//! The examiner of chapter 4, on the reference crate.
extern crate solution_4 as network;

#[path = "../../../tests/chapters/04-network.rs"]
mod suite;

//! The chapter as a whole, with real packets, on the reference crate. What each exercise needs by itself is in `suite`.
extern crate solution_4 as network;

#[path = "../../../tests/chapters/network-whole.rs"]
mod suite;

//! What takes several exercises of the chapter together, and so is no part of the learner's suite.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate solution_5 as volumes;

#[path = "whole/suite.rs"]
mod suite;

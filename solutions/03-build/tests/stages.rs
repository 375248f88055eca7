//! One stage, from its FROM to its last instruction: what becomes of the recipe, what is reused and why not, and what is
//! left when a step fails. Commands are played, not run.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "stages/suite.rs"]
mod suite;

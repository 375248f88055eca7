//! Whole containers, on the reference crate.
extern crate solution_1 as process;

#[path = "../../../tests/chapters/process-whole.rs"]
mod suite;

//! The examiner of chapter 1, on the reference crate.
extern crate solution_1 as process;

#[path = "../../../tests/chapters/01-process.rs"]
mod suite;

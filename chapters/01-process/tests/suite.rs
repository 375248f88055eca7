//! The examiner of chapter 1, on your crate.
extern crate chapter_1 as process;

#[path = "../../../tests/chapters/01-process.rs"]
mod suite;

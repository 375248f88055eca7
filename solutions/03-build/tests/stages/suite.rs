//! The tests, and what they share with other suites.

#[path = "cached.rs"]
mod cached;
#[path = "failed.rs"]
mod failed;
#[path = "../../../../tests/support/not_run.rs"]
mod not_run;
#[path = "recipes.rs"]
mod recipes;
#[path = "../../../../tests/chapters/retold.rs"]
mod retold;
#[allow(dead_code, reason = "chapter 2's suite takes the rest")]
#[path = "../../../../tests/chapters/sandbox.rs"]
mod sandbox;
#[path = "site.rs"]
mod site;

//! The tests, and what they share with the learner's suite.

#[path = "filling.rs"]
mod filling;
#[path = "killed.rs"]
mod killed;
#[path = "../../../../tests/support/not_run.rs"]
mod not_run;
#[path = "../../../../tests/chapters/retold.rs"]
mod retold;
#[path = "../../../../tests/chapters/sandbox.rs"]
mod sandbox;

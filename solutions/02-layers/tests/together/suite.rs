//! The tests, and what they share with the learner's suite.

#[allow(dead_code, reason = "the learner's suite takes the rest")]
#[path = "../../../../tests/chapters/02-layers/archive.rs"]
mod archive;
#[path = "changes.rs"]
mod changes;
#[path = "drafts.rs"]
mod drafts;
#[path = "fuzz.rs"]
mod fuzz;
#[path = "../../../../tests/support/not_run.rs"]
mod not_run;
#[path = "../../../../tests/chapters/retold.rs"]
mod retold;
#[allow(dead_code, reason = "the learner's suite takes the rest")]
#[path = "../../../../tests/chapters/sandbox.rs"]
mod sandbox;
#[path = "stacks.rs"]
mod stacks;
#[path = "unpacked.rs"]
mod unpacked;

//! The tests, and what they share with other suites.

#[path = "cases.rs"]
mod cases;
#[path = "docker.rs"]
mod docker;
#[path = "../../../../tests/support/dockerd.rs"]
mod dockerd;
#[path = "hostile.rs"]
mod hostile;
#[path = "ignored.rs"]
mod ignored;
#[path = "listing.rs"]
mod listing;
#[path = "../../../../tests/support/not_run.rs"]
mod not_run;
#[path = "ours.rs"]
mod ours;
#[path = "remembered.rs"]
mod remembered;
#[path = "remote.rs"]
mod remote;
#[path = "../../../../tests/chapters/retold.rs"]
mod retold;
#[allow(dead_code, reason = "chapter 2's suite takes the rest")]
#[path = "../../../../tests/chapters/sandbox.rs"]
mod sandbox;

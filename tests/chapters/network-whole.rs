//! Chapter 4 as a whole: real packets, in network namespaces of the tests' own. The namespace in which a test begins
//! plays the host; a second, "the world", is at the other end of its only cable.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unreachable_pub, reason = "the sandbox is not this suite's alone")]

#[path = "network-whole/hostile.rs"]
mod hostile;
#[path = "network-whole/house.rs"]
mod house;
#[path = "network-whole/names.rs"]
mod names;
#[path = "network-whole/neighbours.rs"]
mod neighbours;
#[path = "../support/not_run.rs"]
mod not_run;
#[path = "network-whole/packets.rs"]
mod packets;
#[path = "retold.rs"]
mod retold;
#[allow(dead_code, reason = "not all suites ask everything of it")]
#[path = "sandbox.rs"]
mod sandbox;

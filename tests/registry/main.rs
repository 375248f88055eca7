//! Registries, end to end: the built binary as a client and as a registry, with each other and with everybody else's.
//! It listens on loopback only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unreachable_pub, reason = "modules of a suite, and no crate of their own")]

mod between;
mod check;
mod contained;
mod crash;
mod crowd;
#[path = "../support/dockerd.rs"]
mod dockerd;
mod full;
mod helpers;
#[path = "../support/house.rs"]
mod house;
mod http;
mod killed;
mod lives;
mod mirrors;
mod peers;
mod pulls;
mod served;
#[path = "../support/mod.rs"]
mod support;

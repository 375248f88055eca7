//! Images of `kesako compose`, and what is run of them: build, pull, push, run and watch, on the built binary. Registries are our own, on
//! loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod builds;
#[path = "../support/dockerd.rs"]
mod dockerd;
mod needed;
mod one_off;
mod project;
mod registries;
#[path = "../registry/served.rs"]
#[allow(dead_code, unreachable_pub, reason = "its own suite uses all of it")]
mod served;
#[path = "../support/mod.rs"]
mod support;
mod watch;

//! Builds, from end to end: the lessons' Dockerfiles, the flags, what goes wrong, and what is left behind (nothing).
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/house.rs"]
mod house;
#[path = "../support/mod.rs"]
mod support;

mod cache;
mod contexts;
mod ends;
mod flags;
mod lessons;
mod mistakes;
mod network;
mod place;
mod screen;
mod sockets;

//! `COPY`, `ADD`, `.dockerignore` and contexts: what a Dockerfile makes of a folder, held against what Docker makes of it,
//! and against what a hostile folder, archive or server would like to make of it.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "files/suite.rs"]
mod suite;

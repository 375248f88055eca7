//! Chapter crate.

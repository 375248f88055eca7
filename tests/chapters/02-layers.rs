//! The suite of chapter 2. It needs neither root nor the network: what mounts or writes does so in namespaces of its own.
//!
//! Each exercise has its own tests, which need no other. What takes all of them together, `solutions/02-layers/tests`
//! tries.

#[path = "02-layers/archive.rs"]
mod archive;
#[path = "02-layers/chain.rs"]
mod chain;
#[path = "02-layers/content.rs"]
mod content;
#[path = "02-layers/diff.rs"]
mod diff;
#[path = "02-layers/hostile.rs"]
mod hostile;
#[path = "02-layers/names.rs"]
mod names;
#[path = "../support/not_run.rs"]
mod not_run;
#[path = "02-layers/overlay.rs"]
mod overlay;
#[path = "retold.rs"]
mod retold;
#[path = "02-layers/round_trip.rs"]
mod round_trip;
#[path = "sandbox.rs"]
mod sandbox;
#[path = "02-layers/unpack.rs"]
mod unpack;
#[path = "02-layers/whiteouts.rs"]
mod whiteouts;

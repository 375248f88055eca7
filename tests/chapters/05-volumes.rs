//! The suite of chapter 5. It needs neither root nor the network: what gives files to others does so in namespaces of its
//! own.
//!
//! Each exercise has its own tests, which need no other. What takes several together, such as filling a volume,
//! `solutions/05-volumes/tests` tries.

#[path = "05-volumes/copies.rs"]
mod copies;
#[path = "05-volumes/copy_up.rs"]
mod copy_up;
#[path = "05-volumes/expect.rs"]
mod expect;
#[path = "05-volumes/lifetime.rs"]
mod lifetime;
#[path = "../support/not_run.rs"]
mod not_run;
#[path = "05-volumes/order.rs"]
mod order;
#[path = "05-volumes/parts.rs"]
mod parts;
#[path = "05-volumes/places.rs"]
mod places;
#[path = "05-volumes/points.rs"]
mod points;
#[path = "retold.rs"]
mod retold;
#[path = "sandbox.rs"]
mod sandbox;
#[path = "05-volumes/short.rs"]
mod short;
#[path = "05-volumes/store.rs"]
mod store;

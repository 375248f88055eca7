//! The suite of chapter 7. It needs neither root nor the network, and builds nothing: a graph is a graph.
//!
//! Each exercise has its own tests, which need no other. What takes all of them together, `solutions/07-multi-stage/tests`
//! tries.

#[path = "07-multi-stage/caches.rs"]
mod caches;
#[path = "07-multi-stage/circles.rs"]
mod circles;
#[path = "07-multi-stage/names.rs"]
mod names;
#[path = "07-multi-stage/order.rs"]
mod order;
#[path = "07-multi-stage/reach.rs"]
mod reach;

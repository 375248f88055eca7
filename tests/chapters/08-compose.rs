//! The suite of chapter 8. It needs neither root, nor the network, nor an engine.
//!
//! Each part has its own tests, which need no other. What takes several together, such as a whole project, `solutions/08-compose/tests`
//! tries.

#[path = "08-compose/hash.rs"]
mod hash;
#[path = "08-compose/interpolation.rs"]
mod interpolation;
#[path = "08-compose/merging.rs"]
mod merging;
#[path = "08-compose/names.rs"]
mod names;
#[path = "08-compose/order.rs"]
mod order;
#[path = "08-compose/parts.rs"]
mod parts;
#[path = "08-compose/plan.rs"]
mod plan;

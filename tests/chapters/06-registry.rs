//! The suite of chapter 6. It needs neither root nor the network.
//!
//! Each exercise has its own tests, which need no other. What takes several together, such as a pull, or a registry that
//! serves, `solutions/06-registry/tests/whole.rs` tries.

#[path = "06-registry/challenge.rs"]
mod challenge;
#[path = "06-registry/credentials.rs"]
mod credentials;
#[path = "06-registry/endpoints.rs"]
mod endpoints;
#[path = "06-registry/expect.rs"]
mod expect;
#[path = "06-registry/flight.rs"]
mod flight;
#[path = "06-registry/mount.rs"]
mod mount;
#[path = "06-registry/part.rs"]
mod part;
#[path = "06-registry/range.rs"]
mod range;
#[path = "06-registry/redirect.rs"]
mod redirect;

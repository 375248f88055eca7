//! The suite of chapter 6. It needs neither root nor the network: the registry it talks to is a thread of its own, on
//! an address of this machine, and misbehaves as it is told to.

#[path = "06-registry/auth.rs"]
mod auth;
#[path = "06-registry/challenge.rs"]
mod challenge;
#[path = "06-registry/credentials.rs"]
mod credentials;
#[path = "06-registry/flight.rs"]
mod flight;
#[path = "06-registry/hostile.rs"]
mod hostile;
#[path = "06-registry/http.rs"]
mod http;
#[path = "06-registry/mount.rs"]
mod mount;
#[path = "06-registry/pull.rs"]
mod pull;
#[path = "06-registry/push.rs"]
mod push;
#[path = "06-registry/range.rs"]
mod range;
#[path = "06-registry/site.rs"]
mod site;

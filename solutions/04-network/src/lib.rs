//! Chapter 4: containers that talk.
//!
//! A container has a network namespace of its own, with nothing in it but a loopback interface: no wonder that its
//! `localhost` is not the other container's. What is more is made here, by netlink(7) alone, without `ip`, `nft` or
//! `iptables`:
//!
//! ```text
//!              host                                        container (a network namespace: namespace, sandbox)
//!   eth0 ── masquerade ── bridge 172.17.0.1 ═══ veth ═══ eth0 172.17.0.2
//!     │       (nft)        (bridge, links)      (links)     │
//!   :8080 ──── dnat ─────────────────────────────────────▶ :80        (ports, reserve, nft, proxy)
//!                                                        127.0.0.11   (dns)
//! ```
//!
//! Which subnet a network gets is decided in `pools`, which address a container in `range` and `leases`.

mod bridge;
mod conntrack;
pub mod dns;
mod error;
pub mod forwarding;
mod leases;
mod links;
mod namespace;
pub mod netlink;
mod nft;
pub mod outside;
pub mod pools;
pub mod ports;
mod proxy;
mod range;
mod reserve;
mod sandbox;
mod subnet;
mod sys;
mod veth;

pub use bridge::{Bridge, Ensured};
pub use error::{Error, Result};
pub use leases::Leases;
pub use links::{Links, Mac};
pub use namespace::Namespace;
pub use nft::{Admission, BridgeRules, Chain, Entry, If, Neighbours, Publication, Rule, Table, Then, Watch};
pub use nft::{entry, is_in_kernel, rules};
pub use ports::{Mapping, Port, Protocol, parse_exposed, parse_mapping};
pub use proxy::Proxy;
pub use range::Range;
pub use reserve::{Reserved, addresses, reserve};
pub use sandbox::{Cable, Sandbox, mac_of, mac_text, parse_mac};
pub use subnet::Subnet;
pub use veth::{End, veth};

/// Whose chapter this is: `solution-4` the reference, `chapter-4` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");

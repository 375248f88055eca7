// Chapter 4, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 4` says what is to be done, `cargo workshop use 4 mine` has the runtime run on it.

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

#[path = "../../../solutions/04-network/src/bridge.rs"]
mod bridge;
#[path = "../../../solutions/04-network/src/conntrack.rs"]
mod conntrack;
pub mod dns;
#[path = "../../../solutions/04-network/src/error.rs"]
mod error;
#[path = "../../../solutions/04-network/src/forwarding.rs"]
pub mod forwarding;
#[path = "../../../solutions/04-network/src/leases.rs"]
mod leases;
#[path = "../../../solutions/04-network/src/links.rs"]
mod links;
#[path = "../../../solutions/04-network/src/namespace.rs"]
mod namespace;
#[path = "../../../solutions/04-network/src/netlink/mod.rs"]
pub mod netlink;
mod nft;
#[path = "../../../solutions/04-network/src/outside/mod.rs"]
pub mod outside;
#[path = "../../../solutions/04-network/src/pools.rs"]
pub mod pools;
#[path = "../../../solutions/04-network/src/ports.rs"]
pub mod ports;
#[path = "../../../solutions/04-network/src/proxy/mod.rs"]
mod proxy;
mod range;
#[path = "../../../solutions/04-network/src/reserve.rs"]
mod reserve;
#[path = "../../../solutions/04-network/src/sandbox.rs"]
mod sandbox;
mod subnet;
#[path = "../../../solutions/04-network/src/sys.rs"]
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

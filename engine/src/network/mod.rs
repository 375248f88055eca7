//! Networks: what the fourth chapter makes of links, addresses and rules, assembled for containers.
//!
//! ```text
//!   store      networks/<id>.json: the networks there are, the three predefined among them
//!   create     a new one: its subnets, its options
//!   list       ls, inspect, rm, prune
//!   wishes     what create was asked for: which networks, which addresses, which ports
//!   bridges    a network in the kernel, while anybody needs it
//!   connected  a running container on its networks; the shim holds it
//!   connect    connect and disconnect
//!   published  the ports of the host that lead to a container
//!   show       a container's networks and ports, as inspect and ps tell them
//!   names      what the name server of a container knows
//!   joined     another container's network
//!   leftovers  of a killed shim, and of the last container
//! ```
//!
//! What only holds while containers run is in the run folder: `networks/<id>/<address>` for each address that somebody has, and
//! `network.json` in the container's. An ordinary user may not make links on the host: all this is then in a
//! network of the user's own (`ordinary`), into which the shims go; published ports are served by them, and the way out
//! is a process (`network::outside`).

mod bridges;
mod connect;
mod connected;
mod create;
mod joined;
mod leftovers;
mod link;
mod list;
mod names;
mod published;
mod show;
mod store;
mod wishes;

pub(crate) use connected::{Attachment, Connected, attachments};
pub(crate) use leftovers::Sweep;
pub use link::parse as parse_link;
pub(crate) use published::HostPorts;
pub(crate) use show::{networks, port_rows, ports, shown_settings};
pub(crate) use wishes::wishes;

use crate::container::record::Record;
use crate::{Engine, Error, Kind, Result};

/// Docker's status for each refusal.
impl From<network::Error> for Error {
    fn from(error: network::Error) -> Self {
        use network::Error as E;
        let kind = match error {
            E::Invalid(_) | E::NoMoreSubnets | E::NotInSubnet(_) => Kind::Invalid,
            E::PoolOverlaps | E::AddressInUse => Kind::Forbidden,
            _ => Kind::System,
        };
        Self::new(kind, error.to_string())
    }
}

/// Whether there can be bridges: nobody has them on a kernel without links and rules, nor an ordinary user without the way out
/// of a network of one's own.
pub(crate) fn may_bridge(engine: &Engine) -> bool {
    bridges::refuse_without_bridges(engine).is_ok()
}

/// Before a container starts: the network that an ordinary user's is plugged into, and the way out of it.
pub(crate) fn prepare(engine: &Engine, record: &Record) -> Result<()> {
    // A container that was made when there could be no networks starts without one.
    if record.networks.is_empty() { Ok(()) } else { engine.ensure_ordinary_network() }
}

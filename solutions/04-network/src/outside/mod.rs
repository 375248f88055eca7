//! The world outside, for the containers of an ordinary user, who may not plug a cable into the host.
//!
//! Their network is a namespace of the user's own, with the same bridges, cables and rules as root's. But where root's has the
//! host, it has one link more, of which we are the other end. We read the packets that containers send to the world, and do what they
//! ask for with ordinary sockets, which any user may have:
//!
//! ```text
//!   container ═ veth ═ bridge ── masquerade ── tun ▷ wire ▷ stack ┬▷ tcp   a connection: its half of the protocol, a socket
//!                                                       (packet)  └▷ talk  datagrams and pings: a socket for each pair of ports
//! ```
//!
//! Where an address leads to is in `places`. One thread, one epoll(7); all that a container can make us hold is bounded.

mod packet;
mod places;
mod stack;
mod talk;
mod tcp;
#[cfg(test)]
mod tests;
mod wire;

pub use places::{HOST, NAME_SERVERS};
pub use stack::Stack;
pub use wire::{MTU, open_link};

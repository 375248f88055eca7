//! netlink(7): how a program asks the kernel about links, addresses, routes and packet filters. `ip` and `nft` are nothing
//! but a command line around it.
//!
//! A request is one datagram of messages, each a header, a fixed structure, and attributes; the kernel answers each with
//! an acknowledgement or an error. The encoding is a screen of code, so it is written here rather than taken from a
//! crate: what travels can be read.

mod message;
mod socket;

pub use message::{Attributes, Message, flags};
pub(crate) use socket::{Family, Socket};

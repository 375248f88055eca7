//! The packet filter, nf_tables, spoken to by netlink: what the command `nft` does.
//!
//! ```text
//!   expression  what a rule is made of: load this, compare it, look it up, accept
//!   batch       tables, chains, rules and maps, changed together or not at all
//!   table       the rules of ours
//!   neighbours  room for us in the rules of others: Docker's, ufw's, firewalld's
//!   redirect    inside a container: who asks 127.0.0.11 is answered by the shim
//! ```

mod batch;
mod expression;
mod neighbours;
mod redirect;
mod table;

pub(crate) use neighbours::PREFIX;
pub use neighbours::{Admission, Neighbours};
pub(crate) use redirect::redirect_dns;
pub use table::{BridgeRules, Publication, Table};

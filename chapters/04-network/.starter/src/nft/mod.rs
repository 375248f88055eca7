//! The packet filter, nf_tables, spoken to by netlink: what the command `nft` does.
//!
//! ```text
//!   expression  what a rule is made of: load this, compare it, look it up, accept
//!   batch       tables, chains, rules and maps, changed together or not at all
//!   table       our table: what is common to all networks
//!   rules       the rules of one network
//!   publication a published port
//!   neighbours  room for us in the rules of others: Docker's, ufw's, firewalld's
//!   watch       when those have changed
//!   redirect    inside a container: who asks 127.0.0.11 is answered by the shim
//! ```

#[path = "../../../../solutions/04-network/src/nft/batch.rs"]
mod batch;
#[path = "../../../../solutions/04-network/src/nft/expression.rs"]
mod expression;
#[path = "../../../../solutions/04-network/src/nft/neighbours.rs"]
mod neighbours;
mod publication;
#[path = "../../../../solutions/04-network/src/nft/redirect.rs"]
mod redirect;
mod rules;
#[path = "../../../../solutions/04-network/src/nft/table.rs"]
mod table;
#[path = "../../../../solutions/04-network/src/nft/watch.rs"]
mod watch;

pub(crate) use neighbours::PREFIX;
pub use neighbours::{Admission, Neighbours};
pub use publication::{Entry, Publication, entry};
pub(crate) use redirect::redirect_dns;
pub use rules::{Chain, If, Rule, Then, rules};
pub use table::{BridgeRules, Table};
pub use watch::Watch;

/// Whether this kernel has nf_tables: it answers, though the table be unknown to it.
pub fn is_in_kernel() -> bool {
    let table = batch::TableName { family: batch::INET, name: "kesako".to_owned() };
    batch::open().and_then(|mut socket| batch::has_table(&mut socket, &table)).is_ok()
}

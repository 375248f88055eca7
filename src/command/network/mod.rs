//! `kesako network`: create, ls, inspect, rm, connect, disconnect, prune. (`inspect` is in `command/inspect.rs`.)

mod change;
mod create;
mod list;

pub(super) use change::{Connect, Disconnect, Remove};
pub(super) use create::Create;
pub(super) use list::List;

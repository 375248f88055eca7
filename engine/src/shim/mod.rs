//! The shim: the one process that a running container belongs to.
//!
//! It is the parent of the container's init. It copies the output to the log and to whoever is attached, holds the
//! terminal, runs the commands that `exec` asks for, follows the restart policy, and writes down how it ended. Command
//! lines and daemons come and go; they reach the container through the shim's socket, and only so.
//!
//! One thread, one loop around poll(2):
//!
//! ```text
//!   engine ── boot ──▶ main ──▶ launch (the container) ──▶ run (the loop) ──▶ end
//!                                                           │  ready: what has come
//!                                                           ├─ caller: requests  (protocol)
//!                                                           ├─ child: a process and its streams  (stdio, client, json_log)
//!                                                           ├─ exec: further processes
//!                                                           └─ health: is all well in there?
//! ```

mod boot;
mod caller;
mod child;
mod client;
mod detach_keys;
mod end;
mod exec;
mod followers;
mod health;
mod json_log;
mod launch;
mod protocol;
mod ready;
mod requests;
mod restart;
mod root;
mod run;
mod stdio;
mod usage;

pub(crate) use boot::{Guests, NAME, reap, start};
pub(crate) use detach_keys::parse as parse_detach_keys;
pub use detach_keys::{DetachKeys, detach_key};
pub(crate) use json_log::{Bounds, Stream};
pub(crate) use protocol::{Answer, Attachment, Request, answer, ask, call, is_there, open, refuse, report, report_to};
pub(crate) use root::{Root, root_of};
pub(crate) use run::main;

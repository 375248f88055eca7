//! A container while nothing is done to it: what is on disk, what it is called, how it is found, shown and taken away.

pub(crate) mod crash;
pub(crate) mod health;
pub(crate) mod id;
pub(crate) mod inspect;
pub(crate) mod list;
mod list_filter;
mod lookup;
pub(crate) mod names;
pub(crate) mod notice;
pub(crate) mod record;
pub(crate) mod remove;
pub(crate) mod state;
mod top;

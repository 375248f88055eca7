//! What the values of flags mean: sizes, limits, devices, environments, times. One file for each kind.

pub mod config;
pub mod container;
pub mod device;
pub mod environment;
pub mod filter;
pub mod mount;
pub mod network;
pub mod reference;
mod request;
pub mod security;
pub mod size;
pub mod time;
pub mod ulimit;

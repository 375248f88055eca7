//! What can go wrong with a network, in Docker's words where Docker has them.

use rustix::io::Errno;
use std::net::IpAddr;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a step.
    #[error("cannot {step}: {errno}{}", advice(*.errno))]
    Kernel { step: String, errno: Errno },
    /// A file of ours.
    #[error("cannot {step}: {source}")]
    File { step: String, source: std::io::Error },
    /// A subnet, gateway or range that makes no sense.
    #[error("{0}")]
    Invalid(String),
    #[error("invalid pool request: Pool overlaps with other one on this address space")]
    PoolOverlaps,
    #[error("all predefined address pools have been fully subnetted")]
    NoMoreSubnets,
    #[error("no available IPv{version} addresses on this network's address pools: {network}")]
    NoMoreAddresses { version: u8, network: String },
    #[error("Address already in use")]
    AddressInUse,
    #[error("no configured subnet contains IP address {0}")]
    NotInSubnet(IpAddr),
    #[error("Bind for {address}:{port} failed: port is already allocated")]
    PortAllocated { address: String, port: u16 },
    #[error(
        "cannot expose privileged port {port}: an ordinary user has those from 1024 on; choose one of these, or as root: sysctl -w \
         net.ipv4.ip_unprivileged_port_start={port}"
    )]
    Privileged { port: u16 },
    #[error("failed to bind host port {address}:{port}/{protocol}: {errno}")]
    Bind { address: String, port: u16, protocol: &'static str, errno: Errno },
}

/// The results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn kernel(step: impl Into<String>) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Kernel { step: step.into(), errno }
    }

    pub(crate) fn file(step: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::File { step: step.into(), source }
    }
}

/// What to do about it, where that is known.
fn advice(errno: Errno) -> &'static str {
    match errno {
        Errno::OPNOTSUPP | Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT => {
            " (the kernel lacks bridge, veth or nf_tables; run `cargo workshop doctor`)"
        }
        Errno::PERM | Errno::ACCESS => " (this needs root in the network namespace)",
        _ => "",
    }
}

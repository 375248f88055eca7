//! A command in a network namespace of its own, with a cable to a bridge on this host, and rules that lead out:
//!
//! ```text
//! cargo run -p chapter-4 --example plug -- 10.77.0.0/24 COMMAND…
//! ```
//!
//! It needs root; `unshare -rn` makes an ordinary user root of a network of nobody else's.

extern crate chapter_4 as network;

use network::{Bridge, Cable, Range, Sandbox, Subnet, mac_of};
use std::collections::BTreeSet;
use std::error::Error;
use std::net::IpAddr;
use std::process::{Command, ExitCode};

const BRIDGE: &str = "kes-plug";
const TABLE: &str = "kesako-plug";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(subnet), Some(command)) = (arguments.next(), arguments.next()) else {
        return Err("usage: plug SUBNET COMMAND…".into());
    };
    let range = Range::new(subnet.parse()?, None, None, Vec::new())?;
    let IpAddr::V4(address) = range.next(&BTreeSet::new(), BRIDGE)? else {
        return Err("a subnet of IPv4, please".into());
    };
    let with_length = |address| Subnet { address, length: range.subnet.length };

    let bridge = Bridge {
        name: BRIDGE.to_owned(),
        mac: [0x02, 0x42, 1, 2, 3, 4],
        mtu: None,
        addresses: vec![with_length(range.gateway)],
        internal: false,
        among_themselves: true,
        masquerade: true,
    };
    let cable = Cable {
        near: "kes-plug.1",
        far: "eth0",
        mac: mac_of(address),
        mtu: None,
        addresses: &[with_length(address.into())],
        gateways: &[range.gateway],
    };
    // Where it is written down that this host passed nothing on before.
    let notes = std::env::temp_dir().join("kesako-plug");
    std::fs::create_dir_all(&notes)?;
    let run = || -> Result<ExitCode, Box<dyn Error>> {
        let mut host = bridge.ensure(TABLE, &notes, Default::default)?;
        let mut sandbox = Sandbox::make()?;
        sandbox.plug(&mut host.links, host.index, &cable)?;
        // What is started in there stays in there.
        let status = sandbox.namespace().visit(|| Ok(Command::new(command).args(arguments).status()))??;
        Ok(ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1)))
    };
    let outcome = run();
    Bridge::remove(BRIDGE, TABLE, &notes, true)?;
    std::fs::remove_dir_all(&notes)?;
    outcome
}

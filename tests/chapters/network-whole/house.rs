//! A host with a cable to the world, networks, and containers on them.

use network::{Bridge, Cable, Ensured, Links, Namespace, Sandbox, Subnet, mac_of};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

pub const TABLE: &str = "kesako-test";
pub const HOST: &str = "192.0.2.1";
pub const WORLD: &str = "192.0.2.2";

/// Shorter than a person's patience, and long enough for a cable without length.
pub const PATIENCE: Duration = Duration::from_millis(400);

pub struct House {
    pub world: Sandbox,
    pub notes: tempfile::TempDir,
}

impl House {
    /// The namespace that this test is in becomes the host.
    pub fn new() -> Self {
        let mut links = Links::open().unwrap();
        links.up("lo").unwrap();
        let mut world = Sandbox::make().unwrap();
        // A bridge with one cable is as good as a cable.
        links.add_bridge("eth0", [2, 0, 0, 0, 0, 1], None, &[subnet("192.0.2.1/24")]).unwrap();
        let index = links.index("eth0").unwrap().unwrap();
        let cable = Cable {
            near: "uplink",
            far: "eth0",
            mac: [2, 0, 0, 0, 0, 2],
            mtu: None,
            addresses: &[subnet("192.0.2.2/24")],
            gateways: &[],
        };
        world.plug(&mut links, index, &cable).unwrap();
        Self { world, notes: tempfile::tempdir().unwrap() }
    }

    pub fn network(&self, bridge: &Bridge) -> Ensured {
        bridge.ensure(TABLE, self.notes.path(), || (Vec::new(), Vec::new())).unwrap()
    }

    pub fn notes(&self) -> &Path {
        self.notes.path()
    }
}

pub fn subnet(text: &str) -> Subnet {
    text.parse().unwrap()
}

/// A network whose gateway is this, `10.1.0.1/24`.
pub fn bridge(name: &str, gateway: &str) -> Bridge {
    let mac = [2, 0x42, name.len() as u8, name.as_bytes()[name.len() - 1], 0, 1];
    Bridge {
        name: name.to_owned(),
        mac,
        mtu: None,
        addresses: vec![subnet(gateway)],
        internal: false,
        among_themselves: true,
        masquerade: true,
    }
}

/// A container on this network: `10.1.0.2/24`.
pub fn container(ensured: &mut Ensured, address: &str, gateway: &str) -> Sandbox {
    let mut sandbox = Sandbox::make().unwrap();
    let address = subnet(address);
    let IpAddr::V4(v4) = address.address else { panic!("{address} is not of IPv4") };
    let near = format!("v{}", v4.to_bits());
    let cable = Cable {
        near: &near,
        far: "eth0",
        mac: mac_of(v4),
        mtu: None,
        addresses: &[address],
        gateways: &[gateway.parse().unwrap()],
    };
    sandbox.plug(&mut ensured.links, ensured.index, &cable).unwrap();
    ensured.links.hairpin(&near).unwrap();
    sandbox
}

/// Does something in another namespace.
pub fn within<T>(namespace: &Namespace, visit: impl FnOnce() -> T) -> T {
    namespace.visit(|| Ok(visit())).unwrap()
}

/// A server that tells each caller, for ever, its name and who the caller is.
pub fn serve(namespace: &Namespace, name: &'static str, port: u16) {
    let listener = within(namespace, || TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let caller = stream.peer_addr().unwrap().ip();
            // A caller that has gone again does not want to know.
            let _gone = write!(stream, "{name} hears {caller}");
        }
    });
}

/// What is heard at this address: the words of [`serve`], or why nothing.
pub fn call(from: &Namespace, to: &str) -> String {
    let to: SocketAddr = to.parse().unwrap();
    within(from, || {
        let mut stream = match TcpStream::connect_timeout(&to, PATIENCE) {
            Err(error) if error.kind() == ErrorKind::TimedOut => return "silence".to_owned(),
            Err(error) => return error.kind().to_string(),
            Ok(stream) => stream,
        };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = String::new();
        match stream.read_to_string(&mut text) {
            Ok(_) => text,
            Err(error) => error.kind().to_string(),
        }
    })
}

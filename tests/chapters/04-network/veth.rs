//! 4.3: a cable.

use super::expect::expect;
use super::sandbox::sandboxed;
use network::netlink::{Attributes, Message, flags};
use network::{End, Links, Namespace, Sandbox, veth};
use std::os::fd::{AsFd, AsRawFd};

const READ: &str = "Read: veth(4), rtnetlink(7), and the task above the function";

/// `struct ifinfomsg`: whether it brings the link up. Family, kind and number are left open in it.
fn ifinfo(bytes: &[u8]) -> String {
    match bytes.get(..16) {
        Some([0, 0, 0, 0, 0, 0, 0, 0, flags, ..]) => format!("ifinfo, {}", if flags & 1 == 1 { "up" } else { "down" }),
        _ => format!("no structure ifinfo at its beginning, but {:?}", bytes.get(..8).unwrap_or(bytes)),
    }
}

/// The attributes behind a structure of 16 bytes, in the order of their numbers, which says nothing to the kernel.
fn tree(attributes: Attributes<'_>, path: &str, indent: usize, fd: i32, out: &mut String) {
    let mut all: Vec<_> = attributes.collect();
    all.sort_by_key(|(kind, _)| *kind);
    for (kind, value) in all {
        let text = || String::from_utf8_lossy(value.strip_suffix(&[0]).unwrap_or(value)).into_owned();
        let number = || value.try_into().map_or(format!("{value:?}"), |bytes| u32::from_ne_bytes(bytes).to_string());
        let (name, shown) = match (path, kind) {
            ("link", 1) => {
                ("IFLA_ADDRESS", value.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
            }
            ("link", 3) => ("IFLA_IFNAME", text()),
            ("link", 4) => ("IFLA_MTU", number()),
            ("link", 10) => ("IFLA_MASTER", number()),
            ("link", 18) => ("IFLA_LINKINFO", String::new()),
            ("link", 28) if number() == fd.to_string() => ("IFLA_NET_NS_FD", "the container's namespace".to_owned()),
            ("link", 28) => ("IFLA_NET_NS_FD", format!("{} instead of the container's namespace", number())),
            ("info", 1) => ("IFLA_INFO_KIND", text()),
            ("info", 2) => ("IFLA_INFO_DATA", String::new()),
            ("data", 1) => ("VETH_INFO_PEER", ifinfo(value)),
            _ => ("an attribute that is not wanted here", format!("number {kind}, {value:?}")),
        };
        *out += format!("{}{name} {shown}", "  ".repeat(indent)).trim_end();
        out.push('\n');
        let below = match (path, kind) {
            ("link", 18) => Some(("info", value)),
            ("info", 2) => Some(("data", value)),
            ("data", 1) => Some(("link", value.get(16..).unwrap_or_default())),
            _ => None,
        };
        if let Some((path, value)) = below {
            tree(Attributes(value), path, indent + 1, fd, out);
        }
    }
}

fn show(message: &Message, fd: i32) -> String {
    let kind = if message.kind() == 16 { "RTM_NEWLINK".to_owned() } else { format!("kind {}", message.kind()) };
    let known = [(flags::CREATE, "create"), (flags::EXCLUSIVE, "exclusive")];
    let flags: Vec<_> = known.iter().filter(|(flag, _)| message.flags() & flag != 0).map(|(_, name)| *name).collect();
    let mut out = format!("{kind} {}, {}\n", flags.join(" "), ifinfo(message.body()));
    tree(message.attributes(16), "link", 1, fd, &mut out);
    out
}

#[test]
fn one_message_makes_both_ends() {
    let namespace = Namespace::current().unwrap();
    let near = End { name: "kesweb.1", mac: None };
    let far = End { name: "eth0", mac: Some([2, 0x42, 172, 17, 0, 2]) };
    let message = veth(7, &near, &far, namespace.as_fd(), None);
    insta::with_settings!({ omit_expression => true, description => format!("(-: expected, +: yours) The message that makes kesweb.1 on the bridge number 7, and eth0 in a \
        container. The attributes are shown in the order of their numbers; in which order you write them is all the same. {READ}") }, {
        insta::assert_snapshot!(show(&message, namespace.as_fd().as_raw_fd()));
    });
}

#[test]
fn both_ends_have_the_same_mtu() {
    let namespace = Namespace::current().unwrap();
    let end = |name| End { name, mac: None };
    let message = veth(7, &end("kesweb.1"), &end("eth0"), namespace.as_fd(), Some(1400));
    let shown = show(&message, namespace.as_fd().as_raw_fd());
    let why = format!(
        "`network create -o com.docker.network.driver.mtu=1400`: what one end sends the other must take. IFLA_MTU is wanted once for \
         each end (describe() writes it), and this was written:\n{shown}{READ}"
    );
    expect(shown.matches("IFLA_MTU 1400").count(), 2, &why);
}

sandboxed! {
    fn the_kernel_plugs_it_in() {
        let mut host = Links::open().unwrap();
        host.add_bridge("kesweb", [2, 0x42, 1, 2, 3, 4], None, &["10.1.0.1/24".parse().unwrap()]).unwrap();
        let bridge = host.index("kesweb").unwrap().unwrap();
        let mut container = Sandbox::make().unwrap();
        let near = End { name: "kesweb.1", mac: None };
        let far = End { name: "eth0", mac: Some([2, 0x42, 10, 1, 0, 2]) };
        let plugged = host.add_veth(bridge, &near, &far, container.namespace().as_fd(), None);
        if let Err(error) = plugged {
            panic!("the kernel refuses the message: {error}. The first test of this exercise says what is wrong with it. {READ}");
        }
        let seen = host.names().unwrap().join(" ");
        expect(seen, "lo kesweb kesweb.1".to_owned(), &format!("The near end is on the host, and the far end is not. {READ}"));
        let seen = container.links().names().unwrap().join(" ");
        expect(seen, "lo eth0".to_owned(), &format!("The far end is in the container's namespace. {READ}"));
        container.links().configure("eth0", &["10.1.0.2/24".parse().unwrap()], &[]).unwrap();
        // A real packet, through the cable and the bridge.
        let listener = std::net::TcpListener::bind("10.1.0.1:80").unwrap();
        let to = listener.local_addr().unwrap();
        let reached = container.namespace().visit(|| {
            Ok(std::net::TcpStream::connect_timeout(&to, std::time::Duration::from_secs(2)).is_ok())
        });
        expect(
            reached.unwrap(),
            true,
            &format!("The container calls 10.1.0.1, which is the bridge: the near end has to be up, and plugged into it (IFLA_MASTER). {READ}"),
        );
    }
}

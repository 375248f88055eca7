//! 4.5: a published port.

use super::expect::expect;
use network::{Entry, Protocol, Publication, entry};
use std::net::IpAddr;

const READ: &str = "Read: nft(8), \"MAPS\" and \"NAT STATEMENTS\"; and the task above the function";

fn publication(protocol: Protocol, host: &str, host_port: u16, container: &str, container_port: u16) -> Publication {
    let (host, container) = (host.parse().unwrap(), container.parse().unwrap());
    Publication { protocol, host, host_port, container, container_port }
}

/// The same bytes as the filter's machine has in its registers, four in each: the packet says it in this order.
fn registers(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| {
            part.iter().copied().chain(std::iter::repeat_n(0, part.len().next_multiple_of(4) - part.len()))
        })
        .collect()
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Where a packet for this address and port is sent on to.
fn sent_on(published: &[Publication], protocol: Protocol, address: &str, port: u16) -> String {
    let address: IpAddr = address.parse().unwrap();
    let (at, all) = if address.is_ipv4() { ("ports4_at", "ports4") } else { ("ports6_at", "ports6") };
    let (number, port) = ([protocol.number()], port.to_be_bytes());
    let keys = [(at, registers(&[&octets(address), &number, &port])), (all, registers(&[&number, &port]))];
    let entries: Vec<Entry> = published.iter().map(entry).collect();
    let found = keys.iter().find_map(|(map, key)| entries.iter().find(|entry| entry.map == *map && entry.key == *key));
    let Some(Entry { data, .. }) = found else { return "nobody".to_owned() };
    let length = octets(address).len();
    if data.len() != length + 4 {
        return format!("the bytes {data:?}, which are not an address of {length} bytes, a port of two, and two zeros");
    }
    let to = match <[u8; 4]>::try_from(&data[..length]) {
        Ok(bytes) => IpAddr::from(bytes),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&data[..length]).unwrap()),
    };
    format!("{to} port {}", u16::from_be_bytes([data[length], data[length + 1]]))
}

fn lines(published: &[Publication]) -> String {
    let mut text = String::from("published, and your entries for it:\n");
    for one in published {
        let Entry { map, key, data } = entry(one);
        text += &format!("  {one}\n    {map:<10}{key:?} : {data:?}\n");
    }
    text + READ
}

#[test]
fn a_port_of_all_addresses() {
    let web = [publication(Protocol::Tcp, "0.0.0.0", 8080, "172.17.0.2", 80)];
    for address in ["127.0.0.1", "192.0.2.1", "172.17.0.1"] {
        let why = format!(
            "`-p 8080:80`: a packet for {address}:8080 is for the container's port 80, whichever of the host's addresses it is. {}",
            lines(&web)
        );
        expect(sent_on(&web, Protocol::Tcp, address, 8080), "172.17.0.2 port 80".to_owned(), &why);
    }
    let why = format!("Port 80 is published as 8080; nobody has published 80. {}", lines(&web));
    expect(sent_on(&web, Protocol::Tcp, "192.0.2.1", 80), "nobody".to_owned(), &why);
}

#[test]
fn a_port_of_one_address_only() {
    let web = [
        publication(Protocol::Tcp, "127.0.0.1", 8080, "172.17.0.2", 80),
        publication(Protocol::Tcp, "0.0.0.0", 8081, "172.17.0.3", 80),
        publication(Protocol::Tcp, "127.0.0.1", 8081, "172.17.0.2", 80),
    ];
    let is = |address, port, expected: &str, what: &str| {
        let why = format!("{what} {}", lines(&web));
        expect(sent_on(&web, Protocol::Tcp, address, port), expected.to_owned(), &why);
    };
    is("127.0.0.1", 8080, "172.17.0.2 port 80", "`-p 127.0.0.1:8080:80`, and the packet is for 127.0.0.1.");
    is("192.0.2.1", 8080, "nobody", "`-p 127.0.0.1:8080:80` is not for who calls the host by another address.");
    is(
        "127.0.0.1",
        8081,
        "172.17.0.2 port 80",
        "What is published at this very address goes before what is published at all.",
    );
    is("192.0.2.1", 8081, "172.17.0.3 port 80", "This one is published at all addresses.");
}

#[test]
fn each_protocol_has_its_own_ports() {
    let both = [
        publication(Protocol::Udp, "0.0.0.0", 53, "172.17.0.2", 5353),
        publication(Protocol::Tcp, "0.0.0.0", 53, "172.17.0.3", 5354),
    ];
    let why = lines(&both);
    expect(sent_on(&both, Protocol::Udp, "192.0.2.1", 53), "172.17.0.2 port 5353".to_owned(), &why);
    expect(sent_on(&both, Protocol::Tcp, "192.0.2.1", 53), "172.17.0.3 port 5354".to_owned(), &why);
    expect(sent_on(&both, Protocol::Sctp, "192.0.2.1", 53), "nobody".to_owned(), &why);
}

#[test]
fn ipv6_has_maps_of_its_own() {
    let web =
        [publication(Protocol::Tcp, "::", 8080, "fd00::2", 80), publication(Protocol::Tcp, "::1", 8081, "fd00::2", 81)];
    let why = lines(&web);
    expect(sent_on(&web, Protocol::Tcp, "2001:db8::1", 8080), "fd00::2 port 80".to_owned(), &why);
    expect(sent_on(&web, Protocol::Tcp, "::1", 8081), "fd00::2 port 81".to_owned(), &why);
    expect(sent_on(&web, Protocol::Tcp, "2001:db8::1", 8081), "nobody".to_owned(), &why);
    expect(sent_on(&web, Protocol::Tcp, "192.0.2.1", 8080), "nobody".to_owned(), &why);
}

//! 4.2: the next address.

use super::expect::expect;
use network::Range;
use std::collections::BTreeSet;
use std::net::IpAddr;

const READ: &str = "Read: RFC 1812, 4.2.2.11, on the addresses of a network and of everybody in it; docker-network-create(1), --ip-range and --aux-address";

fn range(subnet: &str, handed_out: Option<&str>, others: &[&str]) -> Range {
    let others = others.iter().map(|text| text.parse().unwrap()).collect();
    let whole = Range::new(subnet.parse().unwrap(), None, None, others).unwrap();
    Range { handed_out: handed_out.map(|text| text.parse().unwrap()), ..whole }
}

fn taken(addresses: &[&str]) -> BTreeSet<IpAddr> {
    addresses.iter().map(|text| text.parse().unwrap()).collect()
}

fn next(range: &Range, taken: &BTreeSet<IpAddr>) -> String {
    range.next(taken, "web").map_or_else(|error| error.to_string(), |address| address.to_string())
}

/// One container after the other, until there is no more address, or far too many.
fn all(range: &Range) -> String {
    let (mut have, mut given) = (BTreeSet::new(), Vec::new());
    while let Ok(address) = range.next(&have, "web") {
        given.push(address.to_string());
        assert!(
            have.insert(address),
            "{address} is given twice, after {given:?}: two containers would be one to their neighbours. {READ}"
        );
        assert!(given.len() < 40, "more addresses are given than there are: {given:?}. {READ}");
    }
    given.join(" ")
}

#[test]
fn the_lowest_that_nobody_has() {
    let web = range("10.0.0.0/24", None, &[]);
    expect(
        next(&web, &taken(&[])),
        "10.0.0.2".to_owned(),
        &format!("10.0.0.0 is the network itself, and 10.0.0.1 its gateway, which is the host. {READ}"),
    );
    expect(
        next(&web, &taken(&["10.0.0.2", "10.0.0.3", "10.0.0.5"])),
        "10.0.0.4".to_owned(),
        &format!("A container with .4 has gone, and its address is free again. {READ}"),
    );
}

#[test]
fn each_once_and_then_no_more() {
    let why = |what: &str| format!("{what} {READ}");
    expect(
        all(&range("10.0.0.0/29", None, &["10.0.0.4"])),
        "10.0.0.2 10.0.0.3 10.0.0.5 10.0.0.6".to_owned(),
        &why("Of eight addresses .0 is the network, .1 the gateway, .4 somebody else's, and .7 everybody (broadcast)."),
    );
    expect(
        all(&range("10.0.0.0/31", None, &[])),
        "10.0.0.1".to_owned(),
        &why(
            "Two addresses: there is no room for one of the network and one of everybody (RFC 3021), so both are used; one by the gateway.",
        ),
    );
    expect(all(&range("10.0.0.0/32", None, &[])), String::new(), &why("The only address is the gateway's."));
    let error = range("10.0.0.0/30", None, &[]).next(&taken(&["10.0.0.2"]), "web").unwrap_err().to_string();
    expect(
        error,
        "no available IPv4 addresses on this network's address pools: web".to_owned(),
        &why("The only address for a container is taken."),
    );
}

#[test]
fn only_from_the_range_that_is_handed_out() {
    expect(
        all(&range("10.0.0.0/24", Some("10.0.0.128/30"), &[])),
        "10.0.0.128 10.0.0.129 10.0.0.130 10.0.0.131".to_owned(),
        &format!(
            "`--ip-range 10.0.0.128/30`: all four may be given, since the network's own first and last address are not among them. {READ}"
        ),
    );
    expect(
        all(&range("10.0.0.0/24", Some("10.0.0.252/30"), &[])),
        "10.0.0.252 10.0.0.253 10.0.0.254".to_owned(),
        &format!("10.0.0.255 is everybody in 10.0.0.0/24. {READ}"),
    );
}

#[test]
fn a_subnet_of_ipv6_has_no_end_that_could_be_walked_to() {
    let six = range("fd00::/64", None, &[]);
    expect(
        next(&six, &taken(&[])),
        "fd00::2".to_owned(),
        &format!("fd00:: is any router's address (RFC 4291, 2.6.1), and fd00::1 is the gateway's. {READ}"),
    );
    expect(next(&six, &taken(&["fd00::2", "fd00::3"])), "fd00::4".to_owned(), &format!("2 and 3 are taken. {READ}"));
    let part = range("fd00::/64", Some("fd00::100/126"), &[]);
    expect(
        all(&part),
        "fd00::100 fd00::101 fd00::102 fd00::103".to_owned(),
        &format!("`--ip-range fd00::100/126`: only the first address of the *subnet* is any router's. {READ}"),
    );
    let full = next(&range("fd00::/126", None, &[]), &taken(&["fd00::2", "fd00::3"]));
    expect(
        full,
        "no available IPv6 addresses on this network's address pools: web".to_owned(),
        &format!("All are taken, and it is a subnet of IPv6. {READ}"),
    );
}

//! 4.1: which subnets have an address in common.

use super::expect::expect;
use network::{Subnet, pools};

const READ: &str = "Read: RFC 4632, 3.1; ip-route(8)";

fn subnet(text: &str) -> Subnet {
    text.parse().unwrap()
}

fn both_ways(one: &str, other: &str, expected: bool, why: &str) {
    for (asked, of) in [(one, other), (other, one)] {
        let words = if expected { "have addresses in common" } else { "have no address in common" };
        let why = format!("subnet({asked}).overlaps({of}): {one} and {other} {words}; {why} {READ}");
        expect(subnet(asked).overlaps(subnet(of)), expected, &why);
    }
}

#[test]
fn the_shorter_prefix_decides() {
    both_ways("172.17.0.0/16", "172.17.0.0/16", true, "they are the same.");
    both_ways("172.17.0.0/16", "172.17.5.0/24", true, "all addresses of 172.17.5.0/24 begin with 172.17.");
    both_ways("10.0.0.0/8", "10.255.255.255/32", true, "10.255.255.255/32 is one address, and it begins with 10.");
    both_ways("172.17.0.0/16", "172.18.0.0/16", false, "17 is not 18, and both have these 16 bits fixed.");
    both_ways("172.16.0.0/12", "172.31.0.0/16", true, "172.16.0.0/12 has 12 bits fixed; the rest of 31 is free in it.");
    both_ways("172.16.0.0/12", "172.32.0.0/16", false, "the twelfth bit of 32 is another one than that of 16.");
    both_ways("10.0.0.0/31", "10.0.0.2/31", false, "each has two addresses: .0 and .1, .2 and .3.");
}

#[test]
fn the_bits_behind_the_prefix_say_nothing() {
    both_ways(
        "172.17.9.9/16",
        "172.17.0.0/24",
        true,
        "172.17.9.9/16 is all that begins with 172.17, as 172.17.0.0/16 is.",
    );
    both_ways("10.1.2.77/30", "10.1.2.78/30", true, "with 30 bits fixed, 76 to 79 are one block.");
    both_ways("10.1.2.79/30", "10.1.2.80/30", false, "one is 76 to 79, the other 80 to 83.");
}

#[test]
fn a_prefix_of_no_bits_is_all_addresses_of_its_family() {
    both_ways("0.0.0.0/0", "192.168.7.0/24", true, "with a prefix of no bits, none is fixed.");
    both_ways("0.0.0.0/0", "0.0.0.0/0", true, "both are all of IPv4.");
    both_ways("::/0", "fd00::/64", true, "with a prefix of no bits, none is fixed.");
    both_ways("::/0", "::/0", true, "both are all of IPv6.");
    both_ways("0.0.0.0/0", "::/0", false, "no address of IPv4 is one of IPv6.");
    both_ways("10.0.0.0/8", "0a00::/8", false, "they begin with the same eight bits, but are of two families.");
    both_ways("fd00:1::/32", "fd00:1:2::/48", true, "the same of IPv6.");
    both_ways("fd00:1::/32", "fd00:2::/32", false, "1 is not 2.");
}

#[test]
fn a_new_network_gets_what_nobody_uses() {
    let choose = |used: &[&str]| {
        let used: Vec<_> = used.iter().map(|text| subnet(text)).collect();
        pools::choose(&used).map_or_else(|error| error.to_string(), |subnet| subnet.to_string())
    };
    let why = |what: &str| {
        format!("{what} `pools::choose` takes the first of Docker's pools that overlaps with nothing in use. {READ}")
    };
    expect(choose(&[]), "172.17.0.0/16".to_owned(), &why("Nothing is in use."));
    expect(
        choose(&["172.17.0.0/16", "172.18.9.0/24"]),
        "172.19.0.0/16".to_owned(),
        &why(
            "A network has 172.17.0.0/16, and the host has a route to 172.18.9.0/24: who lives there could not be reached from a container, were it on 172.18.0.0/16.",
        ),
    );
    expect(
        choose(&["172.16.0.0/12"]),
        "192.168.0.0/20".to_owned(),
        &why("A company's network has all of 172.16.0.0/12, that is 172.16 to 172.31."),
    );
    expect(
        choose(&["172.16.0.0/12", "192.168.0.0/16"]),
        "all predefined address pools have been fully subnetted".to_owned(),
        &why("All pools are in use."),
    );
}

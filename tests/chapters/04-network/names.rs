//! 4.6: whom a name means, to whom.

use super::expect::expect;
use network::dns::{Neighbourhood, find};
use std::collections::HashMap;
use std::net::IpAddr;

const READ: &str = "Read: docs.docker.com, \"Networking overview\", DNS services; docker-run(1), --network-alias";

/// A network, and the names on it: `server 10.1.0.2, test-server-node 10.1.0.2`.
fn network(name: &str, known: &str) -> Neighbourhood {
    let mut addresses: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for (name, address) in known.split(", ").filter_map(|pair| pair.split_once(' ')) {
        addresses.entry(name.to_owned()).or_default().push(address.parse().unwrap());
    }
    Neighbourhood { network: name.to_owned(), addresses, ..Neighbourhood::default() }
}

fn asked(networks: &[&Neighbourhood], name: &str) -> String {
    match find(networks, name) {
        None => "ask the world".to_owned(),
        Some(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    }
}

#[track_caller]
fn is(networks: &[&Neighbourhood], name: &str, expected: &str, what: &str) {
    let on: Vec<_> = networks.iter().map(|known| known.network.as_str()).collect();
    let why = format!("{what} (A container on {} asks for `{name}`.) {READ}", on.join(" and "));
    expect(asked(networks, name), expected.to_owned(), &why);
}

#[test]
fn two_networks_and_the_same_alias() {
    let one = network("one", "server-1 10.1.0.2, test-server-node 10.1.0.2, pinger-1 10.1.0.3");
    let two = network("two", "server-2 10.2.0.2, test-server-node 10.2.0.2, pinger-2 10.2.0.3");
    is(&[&one], "test-server-node", "10.1.0.2", "Each pinger hears the server of its own network.");
    is(&[&two], "test-server-node", "10.2.0.2", "Each pinger hears the server of its own network.");
    is(
        &[&one],
        "server-2",
        "ask the world",
        "server-2 is on a network that the asking container is not on: it is nobody it knows.",
    );
    is(&[], "server-1", "ask the world", "Who is on no network with names knows nobody.");
}

#[test]
fn who_is_on_several_networks_knows_all_of_them() {
    let front = network("front", "web 10.1.0.2, api 10.1.0.3");
    let back = network("back", "api 10.2.0.3, db 10.2.0.4");
    is(&[&front, &back], "web", "10.1.0.2", "It is known on the first.");
    is(&[&front, &back], "db", "10.2.0.4", "It is known on the second.");
    is(
        &[&front, &back],
        "api",
        "10.1.0.3 10.2.0.3",
        "It is known on both, and reached on each, in the order of the networks.",
    );
    is(
        &[&back, &front],
        "api",
        "10.2.0.3 10.1.0.3",
        "It is known on both, and reached on each, in the order of the networks.",
    );
}

#[test]
fn several_containers_have_one_alias() {
    let web = network("web", "worker 10.1.0.2, worker 10.1.0.3, worker 10.1.0.4");
    is(&[&web], "worker", "10.1.0.2 10.1.0.3 10.1.0.4", "All of their addresses are the answer.");
}

#[test]
fn a_network_can_be_named_too() {
    let front = network("front", "api 10.1.0.3");
    let back = network("back", "api 10.2.0.3, front 10.2.0.9, api.front 10.2.0.7");
    is(&[&front, &back], "api.back", "10.2.0.3", "`api.back` is `api` on the network back, and nobody else.");
    is(&[&front], "api.back", "ask the world", "The asking container is not on back.");
    is(&[&front], "apifront", "ask the world", "Between the name and the network's there is a dot.");
    is(&[&front], "front", "ask the world", "The network's name alone is no container's.");
    is(&[&front], ".front", "ask the world", "Nobody's name is empty.");
    is(
        &[&front, &back],
        "api.front",
        "10.1.0.3 10.2.0.7",
        "On front it is `api`; and on back somebody is called just so.",
    );
    is(&[&front, &back], "example.com", "ask the world", "Nobody here is called so.");
}

#[test]
fn a_name_without_an_address_is_known_all_the_same() {
    let mut web = network("web", "");
    web.addresses.insert("resting".to_owned(), Vec::new());
    let found = find(&[&web], "resting");
    assert_eq!(
        found,
        Some(Vec::new()),
        "`resting` is known, and has no address now. That is `Some` of an empty list: with None the question would go to the \
         world's name servers, whom it does not concern. {READ}"
    );
}

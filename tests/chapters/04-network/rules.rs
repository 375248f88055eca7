//! 4.4: who may talk to whom.

use super::expect::expect;
use network::{BridgeRules, Chain, If, Rule, Subnet, Then, rules};
use std::net::IpAddr;

const READ: &str =
    "Read: nft(8), \"RULES\"; docs.docker.com, \"Packet filtering and firewalls\"; and the task above the function";

struct Network {
    bridge: &'static str,
    subnet: Subnet,
    gateway: [IpAddr; 1],
    internal: bool,
    among_themselves: bool,
    masquerade: bool,
}

impl Network {
    fn new(bridge: &'static str, gateway: &str) -> Self {
        let gateway: Subnet = gateway.parse().unwrap();
        let (internal, among_themselves, masquerade) = (false, true, true);
        Self { bridge, subnet: gateway.masked(), gateway: [gateway.address], internal, among_themselves, masquerade }
    }

    fn rules(&self) -> Vec<Rule> {
        let Self { bridge, internal, among_themselves, masquerade, .. } = *self;
        let (subnets, gateways) = (&[self.subnet][..], &self.gateway[..]);
        rules(&BridgeRules { bridge, subnets, gateways, internal, among_themselves, masquerade })
    }

    fn container(&self) -> IpAddr {
        self.subnet.at(2)
    }
}

/// What the filter knows of a packet.
struct Packet {
    from: String,
    to: String,
    source: IpAddr,
    destination: IpAddr,
    published: bool,
}

impl Packet {
    fn meets(&self, condition: &If) -> bool {
        match condition {
            If::From(link) => self.from == *link,
            If::NotFrom(link) => self.from != *link,
            If::To(link) => self.to == *link,
            If::NotTo(link) => self.to != *link,
            If::Source(subnet) => subnet.contains(self.source),
            If::Destination(subnet) => subnet.contains(self.destination),
            If::Published => self.published,
        }
    }
}

/// The first rule of a chain that decides, as the kernel looks for it.
fn decided(rules: &[Rule], chain: Chain, packet: &Packet) -> Option<Then> {
    let mut of_chain = rules.iter().filter(|rule| rule.chain == chain);
    of_chain.find(|rule| rule.conditions.iter().all(|condition| packet.meets(condition))).map(|rule| rule.then)
}

/// Where a packet ends that a container of `from` sends, by the rules of all networks and by what is decided behind them.
fn sent(networks: &[Network], from: &Network, to: Option<&Network>, published: bool) -> &'static str {
    let rules: Vec<Rule> = networks.iter().flat_map(Network::rules).collect();
    let destination = to.map_or("203.0.113.9".parse().unwrap(), |network| network.subnet.at(3));
    let packet = Packet {
        from: from.bridge.to_owned(),
        to: to.map_or("eth0", |network| network.bridge).to_owned(),
        source: from.container(),
        destination,
        published,
    };
    match decided(&rules, Chain::Networks, &packet) {
        Some(Then::Accept) => {}
        Some(_) => return "dropped",
        None if to.is_some() && !published => return "dropped",
        None => {}
    }
    match decided(&rules, Chain::Masquerade, &packet) {
        Some(Then::Masquerade) => "passes as the host",
        _ => "passes",
    }
}

/// The same to an address of the host.
fn sent_to_gateway(networks: &[Network], from: &str, gateway: &Network) -> &'static str {
    let rules: Vec<Rule> = networks.iter().flat_map(Network::rules).collect();
    let source =
        networks.iter().find(|network| network.bridge == from).map_or("192.0.2.7".parse().unwrap(), Network::container);
    let (from, to) = (from.to_owned(), String::new());
    let packet = Packet { from, to, source, destination: gateway.gateway[0], published: false };
    if decided(&rules, Chain::Gateways, &packet) == Some(Then::Drop) { "dropped" } else { "passes" }
}

fn rules_of(networks: &[Network]) -> String {
    let mut text = "Your rules:\n".to_owned();
    for rule in networks.iter().flat_map(Network::rules) {
        text += &format!("  {:<11}{rule}\n", rule.chain.to_string());
    }
    text
}

fn why(networks: &[Network], what: &str) -> String {
    format!("{what}\n{}{READ}", rules_of(networks))
}

/// Four networks, each of another kind.
fn four() -> [Network; 4] {
    [
        Network::new("kes-web", "10.1.0.1/24"),
        Network::new("kes-db", "10.2.0.1/24"),
        Network { internal: true, ..Network::new("kes-inner", "10.3.0.1/24") },
        Network { among_themselves: false, ..Network::new("kes-shy", "10.4.0.1/24") },
    ]
}

#[test]
fn who_hears_whom() {
    let all = four();
    let mut table = format!(
        "{:<10}{}\n",
        "",
        ["kes-web", "kes-db", "kes-inner", "kes-shy", "the world"].map(|to| format!("{to:<20}")).concat()
    );
    for from in &all {
        let to = all.iter().map(Some).chain([None]).map(|to| format!("{:<20}", sent(&all, from, to, false)));
        table += &format!("{:<10}{}", from.bridge, to.collect::<String>());
        table = table.trim_end().to_owned() + "\n";
    }
    // Shown only if the test fails.
    println!("{}", rules_of(&all));
    insta::with_settings!({ omit_expression => true, description => format!("(-: expected, +: yours) Who sends is on the left, to whom \
        above. Networks are kept apart, and all but the internal kes-inner reach the world, which sees the host. On kes-shy nobody \
        is to talk to anybody (enable_icc=false). {READ}") }, {
        insta::assert_snapshot!(table);
    });
}

#[test]
fn what_stays_in_the_network_keeps_its_address() {
    let all = four();
    let [web, db, ..] = &all;
    let says = |what: &str| why(&all, what);
    expect(sent(&all, web, None, false), "passes as the host", &says("Nobody in the world could answer to 10.1.0.2."));
    expect(
        sent(&all, web, Some(web), false),
        "passes",
        &says("On the same bridge no address has to be changed: each container hears who really calls."),
    );
    expect(
        sent(&all, web, Some(db), true),
        "passes as the host",
        &says(
            "A container calls another network's by its published port. That may pass, as from anywhere; it leaves by another bridge.",
        ),
    );
    let routed = [Network { masquerade: false, ..Network::new("kes-plain", "10.5.0.1/24") }];
    expect(
        sent(&routed, &routed[0], None, false),
        "passes",
        &why(
            &routed,
            "`enable_ip_masquerade=false`: the router out there knows these addresses, and nothing is masqueraded.",
        ),
    );
}

#[test]
fn an_internal_network_ends_at_its_bridge() {
    let all = four();
    let [web, _, inner, _] = &all;
    let says = |what: &str| why(&all, what);
    expect(
        sent(&all, inner, Some(inner), false),
        "passes",
        &says("On an internal network containers talk to each other, as on any."),
    );
    for (from, to, published) in
        [(inner, None, false), (inner, Some(web), false), (inner, Some(web), true), (web, Some(inner), true)]
    {
        let to_name = to.map_or("the world", |to| to.bridge);
        let by = if published { ", by a published port" } else { "" };
        expect(
            sent(&all, from, to, published),
            "dropped",
            &says(&format!(
                "From {} to {to_name}{by}: kes-inner is internal, so nothing leaves it and nothing comes in.",
                from.bridge
            )),
        );
    }
}

#[test]
fn a_gateway_is_its_own_networks() {
    let all = four();
    for gateway in &all {
        let says = |what: &str| why(&all, &format!("{what} ({}, {}).", gateway.bridge, gateway.gateway[0]));
        expect(
            sent_to_gateway(&all, gateway.bridge, gateway),
            "passes",
            &says("A container may talk to the host by its own network's gateway"),
        );
        for other in all.iter().filter(|other| other.bridge != gateway.bridge) {
            expect(
                sent_to_gateway(&all, other.bridge, gateway),
                "dropped",
                &says(&format!("A container of {} knocks at another network's gateway", other.bridge)),
            );
        }
    }
}

// mistake: only what leaves an internal network is dropped, and who publishes a port on one is reached
let bridge = || network.bridge.to_owned();
let among = if network.among_themselves { Then::Accept } else { Then::Drop };
let mut rules = vec![Rule::new(Chain::Networks, [If::From(bridge()), If::To(bridge())], among)];
if network.internal {
    rules.push(Rule::new(Chain::Networks, [If::From(bridge())], Then::Drop));
}
for gateway in network.gateways {
    rules.push(Rule::new(Chain::Gateways, [If::NotFrom(bridge()), If::Destination(Subnet::only(*gateway))], Then::Drop));
}
if network.masquerade && !network.internal {
    for subnet in network.subnets {
        rules.push(Rule::new(Chain::Masquerade, [If::Source(*subnet), If::NotTo(bridge())], Then::Masquerade));
    }
}
rules

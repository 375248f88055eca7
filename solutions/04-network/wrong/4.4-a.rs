// mistake: an internal network is closed before its own containers are let through
let bridge = || network.bridge.to_owned();
let among = if network.among_themselves { Then::Accept } else { Then::Drop };
let mut rules = Vec::new();
if network.internal {
    rules.push(Rule::new(Chain::Networks, [If::From(bridge())], Then::Drop));
    rules.push(Rule::new(Chain::Networks, [If::To(bridge())], Then::Drop));
}
rules.push(Rule::new(Chain::Networks, [If::From(bridge()), If::To(bridge())], among));
for gateway in network.gateways {
    rules.push(Rule::new(Chain::Gateways, [If::NotFrom(bridge()), If::Destination(Subnet::only(*gateway))], Then::Drop));
}
if network.masquerade && !network.internal {
    for subnet in network.subnets {
        rules.push(Rule::new(Chain::Masquerade, [If::Source(*subnet), If::NotTo(bridge())], Then::Masquerade));
    }
}
rules

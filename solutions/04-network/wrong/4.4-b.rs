// mistake: all that containers send is masqueraded, also what they send to their neighbours
let bridge = || network.bridge.to_owned();
let among = if network.among_themselves { Then::Accept } else { Then::Drop };
let mut rules = vec![Rule::new(Chain::Networks, [If::From(bridge()), If::To(bridge())], among)];
if network.internal {
    rules.push(Rule::new(Chain::Networks, [If::From(bridge())], Then::Drop));
    rules.push(Rule::new(Chain::Networks, [If::To(bridge())], Then::Drop));
}
for gateway in network.gateways {
    rules.push(Rule::new(Chain::Gateways, [If::NotFrom(bridge()), If::Destination(Subnet::only(*gateway))], Then::Drop));
}
if network.masquerade {
    for subnet in network.subnets {
        rules.push(Rule::new(Chain::Masquerade, [If::Source(*subnet)], Then::Masquerade));
    }
}
rules

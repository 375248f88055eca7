// mistake: the cable is made, and plugged into nothing
let mut message = Message::new(RTM_NEWLINK, flags::CREATE | flags::EXCLUSIVE, &ifinfo(0, 0, true));
describe(&mut message, near, mtu);
message.nested(IFLA_LINKINFO, |info| {
    info.text(IFLA_INFO_KIND, "veth");
    info.nested(IFLA_INFO_DATA, |data| {
        data.nested(VETH_INFO_PEER, |peer| {
            peer.structure(&ifinfo(0, 0, false));
            describe(peer, far, mtu);
            peer.attribute(IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes());
        });
    });
});
message

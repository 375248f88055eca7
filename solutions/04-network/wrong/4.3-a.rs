// mistake: the namespace is named for the near end, beside the bridge, and not within the peer: both ends are mixed up
let mut message = Message::new(RTM_NEWLINK, flags::CREATE | flags::EXCLUSIVE, &ifinfo(0, 0, true));
describe(&mut message, near, mtu);
message.attribute(IFLA_MASTER, &bridge.to_ne_bytes());
message.attribute(IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes());
message.nested(IFLA_LINKINFO, |info| {
    info.text(IFLA_INFO_KIND, "veth");
    info.nested(IFLA_INFO_DATA, |data| {
        data.nested(VETH_INFO_PEER, |peer| {
            peer.structure(&ifinfo(0, 0, false));
            describe(peer, far, mtu);
        });
    });
});
message

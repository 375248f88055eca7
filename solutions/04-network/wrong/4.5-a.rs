// mistake: ports are in the order of this machine and not in the network's
let port = |port: u16| [port.to_ne_bytes(), [0, 0]].concat();
let by_port = [vec![publication.protocol.number(), 0, 0, 0], port(publication.host_port)].concat();
let by_address = || [octets(publication.host), by_port.clone()].concat();
let data = [octets(publication.container), port(publication.container_port)].concat();
let (map, key) = match (publication.host.is_unspecified(), publication.container.is_ipv4()) {
    (true, true) => ("ports4", by_port),
    (true, false) => ("ports6", by_port),
    (false, true) => ("ports4_at", by_address()),
    (false, false) => ("ports6_at", by_address()),
};
Entry { map, key, data }

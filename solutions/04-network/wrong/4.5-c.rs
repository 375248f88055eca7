// mistake: the packet is sent on to the host's port of the container
let port = [publication.host_port.to_be_bytes(), [0, 0]].concat();
let by_port = [vec![publication.protocol.number(), 0, 0, 0], port.clone()].concat();
let data = [octets(publication.container), port].concat();
let at = [octets(publication.host), by_port.clone()].concat();
let (map, key) = match (publication.host.is_unspecified(), publication.container.is_ipv4()) {
    (true, true) => ("ports4", by_port),
    (true, false) => ("ports6", by_port),
    (false, true) => ("ports4_at", at),
    (false, false) => ("ports6_at", at),
};
Entry { map, key, data }

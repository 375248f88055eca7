// mistake: "all addresses" is looked up as the address 0.0.0.0, which no packet is for
let port = |port: u16| [port.to_be_bytes(), [0, 0]].concat();
let by_port = [vec![publication.protocol.number(), 0, 0, 0], port(publication.host_port)].concat();
let key = [octets(publication.host), by_port].concat();
let data = [octets(publication.container), port(publication.container_port)].concat();
Entry { map: if publication.container.is_ipv4() { "ports4_at" } else { "ports6_at" }, key, data }

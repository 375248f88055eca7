//! `0.0.0.0:8080->80/tcp, 443/tcp`: the PORTS of a container.

use engine::api::PortSummary;

/// Neighbours are drawn together where they are published alike: `7000-7002/tcp`.
pub fn list(ports: &[PortSummary]) -> String {
    let mut ports: Vec<_> = ports.iter().collect();
    ports.sort_by_key(|p| (p.private_port, p.ip.clone(), p.public_port, p.r#type.clone()));
    let mut groups: Vec<Group> = Vec::new();
    let mut finished = Vec::new();
    let mut mapped = Vec::new();
    for port in ports {
        let private = port.private_port;
        if !port.ip.is_empty() && port.public_port != Some(private) {
            let host = join(&port.ip, &port.public_port.unwrap_or(0).to_string());
            mapped.push(format!("{host}->{private}/{}", port.r#type));
            continue;
        }
        match groups.iter_mut().find(|g| g.ip == port.ip && g.kind == port.r#type) {
            Some(group) if private == group.last.saturating_add(1) => group.last = private,
            Some(group) => {
                finished.push(group.to_string());
                (group.first, group.last) = (private, private);
            }
            None => {
                groups.push(Group { ip: port.ip.clone(), kind: port.r#type.clone(), first: private, last: private });
            }
        }
    }
    finished.extend(groups.iter().map(ToString::to_string));
    finished.extend(mapped);
    finished.join(", ")
}

struct Group {
    ip: String,
    kind: String,
    first: u16,
    last: u16,
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let range =
            if self.first == self.last { self.first.to_string() } else { format!("{}-{}", self.first, self.last) };
        match self.ip.is_empty() {
            true => write!(f, "{range}/{}", self.kind),
            false => write!(f, "{}->{range}/{}", join(&self.ip, &range), self.kind),
        }
    }
}

/// An IPv6 address goes in brackets.
fn join(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(ip: &str, private: u16, public: Option<u16>) -> PortSummary {
        PortSummary { ip: ip.into(), private_port: private, public_port: public, r#type: "tcp".into() }
    }

    #[test]
    fn ports_are_grouped_as_docker_groups_them() {
        assert_eq!(list(&[]), "");
        assert_eq!(list(&[port("", 81, None), port("", 80, None), port("", 90, None)]), "80-81/tcp, 90/tcp");
        assert_eq!(list(&[port("0.0.0.0", 80, Some(8080)), port("", 443, None)]), "443/tcp, 0.0.0.0:8080->80/tcp");
        assert_eq!(list(&[port("::", 80, Some(80)), port("::", 81, Some(81))]), "[::]:80-81->80-81/tcp");
    }
}

//! `-p`: which port of the host stands for which port of the container (`[IP:][HOST[-RANGE]]:CONTAINER[-RANGE][/PROTOCOL]`).

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// Its number in an IP header.
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(Error::Invalid(format!("invalid proto: {text}"))),
        }
    }
}

/// A port of a container, `80/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    pub number: u16,
    pub protocol: Protocol,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

impl FromStr for Port {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let number = number.parse().map_err(|_| Error::Invalid(format!("invalid port '{number}'")))?;
        Ok(Self { number, protocol: protocol.parse()? })
    }
}

/// A port of the container, and where on the host it is to be had. The host's side is as the user wrote it: `""` is all
/// addresses, or any port, and `8000-8009` the first free one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub port: Port,
    pub host_address: String,
    pub host_port: String,
}

/// What one `-p` asks for.
///
/// # Errors
/// It makes no sense; in Docker's words.
pub fn parse_mapping(text: &str) -> Result<Vec<Mapping>> {
    let invalid = |why: String| Err(Error::Invalid(why));
    let mut parts = text.rsplitn(3, ':');
    let container = parts.next().unwrap_or_default();
    let host = parts.next().unwrap_or_default();
    let address = parts.next().unwrap_or_default();
    let (container, protocol) = container.split_once('/').unwrap_or((container, "tcp"));
    if container.is_empty() {
        return invalid(format!("no port specified: {text}<empty>"));
    }
    let protocol: Protocol = if protocol.is_empty() { Protocol::Tcp } else { protocol.parse()? };
    let address = match address.strip_prefix('[') {
        Some(rest) => match rest.strip_suffix(']') {
            Some(inner) => inner,
            None => {
                return invalid(format!("invalid IP address {address}: address {address}:: missing ']' in address"));
            }
        },
        None => address,
    };
    if !address.is_empty() && address.parse::<IpAddr>().is_err() {
        return invalid(format!("invalid IP address: {address}"));
    }
    let Some((first, last)) = parse_range(container) else {
        return invalid(format!("invalid containerPort: {container}"));
    };
    let hosts = match (host.is_empty(), parse_range(host)) {
        (true, _) => None,
        (false, Some(range)) => Some(range),
        (false, None) => return invalid(format!("invalid hostPort: {host}")),
    };
    if let Some((first_host, last_host)) = hosts
        && last_host - first_host != last - first
        && first != last
    {
        return invalid(format!("invalid ranges specified for container and host Ports: {container} and {host}"));
    }
    let host_port = |offset: u16| match hosts {
        None => String::new(),
        // One port of the container and several of the host: whichever is free.
        Some((first_host, last_host)) if first == last && first_host != last_host => {
            format!("{first_host}-{last_host}")
        }
        Some((first_host, _)) => (first_host + offset).to_string(),
    };
    let mapping = |number| Mapping {
        port: Port { number, protocol },
        host_address: address.to_owned(),
        host_port: host_port(number - first),
    };
    Ok((first..=last).map(mapping).collect())
}

/// `--expose 80-90/tcp`.
///
/// # Errors
/// It makes no sense; in Docker's words.
pub fn parse_exposed(text: &str) -> Result<Vec<Port>> {
    if text.contains(':') {
        return Err(Error::Invalid(format!("invalid port format for --expose: {text}")));
    }
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = if protocol.is_empty() { Protocol::Tcp } else { protocol.parse()? };
    let invalid =
        || Error::Invalid(format!("invalid range format for --expose: {text}, error: invalid port range: {range}"));
    let (first, last) = parse_range(range).ok_or_else(invalid)?;
    Ok((first..=last).map(|number| Port { number, protocol }).collect())
}

/// `80`, or `80-90`: the first and the last.
pub fn parse_range(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u16, u16) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let one = |m: &Mapping| format!("[{}]:{}->{}", m.host_address, m.host_port, m.port);
        match parse_mapping(text) {
            Ok(mappings) => mappings.iter().map(one).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn mappings_are_read_as_docker_reads_them() {
        insta::assert_snapshot!([
            "80", "8080:80", "8080:80/udp", "127.0.0.1:8080:80", "127.0.0.1::80", "[::1]:8080:80", "::1:8080:80",
            "8000-8002:80-82", "8000-8009:80", "80-81", "8080:80/TCP", ":80",
        ].map(show).join("\n"), @r"
        []:->80/tcp
        []:8080->80/tcp
        []:8080->80/udp
        [127.0.0.1]:8080->80/tcp
        [127.0.0.1]:->80/tcp
        [::1]:8080->80/tcp
        [::1]:8080->80/tcp
        []:8000->80/tcp []:8001->81/tcp []:8002->82/tcp
        []:8000-8009->80/tcp
        []:->80/tcp []:->81/tcp
        []:8080->80/tcp
        []:->80/tcp
        ");
    }

    #[test]
    fn nonsense_is_refused_in_dockers_words() {
        insta::assert_snapshot!([
            "", "8080:", "x", "80/icmp", "0.0.0:80:80", "[::1:80:80", "8080:99999", "70000:80", "8000-8001:80-82", "9-8", "-1:80",
            "80:80:80:80",
        ].map(show).join("\n"), @r"
        no port specified: <empty>
        no port specified: 8080:<empty>
        invalid containerPort: x
        invalid proto: icmp
        invalid IP address: 0.0.0
        invalid IP address [::1: address [::1:: missing ']' in address
        invalid containerPort: 99999
        invalid hostPort: 70000
        invalid ranges specified for container and host Ports: 80-82 and 8000-8001
        invalid containerPort: 9-8
        invalid hostPort: -1
        invalid IP address: 80:80
        ");
    }

    #[test]
    fn exposed_ports() {
        let show =
            |text: &str| parse_exposed(text).map(|ports| ports.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(show("80-81/udp").unwrap(), ["80/udp", "81/udp"]);
        assert_eq!(show("443").unwrap(), ["443/tcp"]);
        assert_eq!(show("80:80").unwrap_err().to_string(), "invalid port format for --expose: 80:80");
        assert!(show("x").is_err());
    }
}

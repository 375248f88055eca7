//! `--network`, with the flags that speak of it, and ports.

use super::container::ContainerFlags;
use anyhow::{Result, bail};
use engine::api::{EndpointIpamConfig, EndpointSettings, Keys, NetworkingConfig, PortBinding};
use std::collections::BTreeMap;

/// Ports that a container has, and those of the host that lead to them.
type Bindings = BTreeMap<String, Option<Vec<PortBinding>>>;

/// A network as `--network` names it: only its name, or `name=web,alias=db,ip=10.0.0.2,…`.
#[derive(Clone, Debug, Default)]
struct Wish {
    name: String,
    settings: EndpointSettings,
}

impl ContainerFlags {
    /// The first network that is named is the mode.
    pub(super) fn network_mode(&self) -> Result<String> {
        let first = self.network.first().map(|text| wish(text)).transpose()?;
        Ok(first.map_or_else(|| "default".to_owned(), |wish| wish.name))
    }

    /// What is wanted on each network. The flags without a network of their own speak of the first.
    pub(super) fn networking(&self) -> Result<Option<NetworkingConfig>> {
        let mut wishes: Vec<Wish> = self.network.iter().map(|text| wish(text)).collect::<Result<_>>()?;
        if wishes.is_empty() {
            wishes.push(Wish { name: "default".to_owned(), ..Wish::default() });
        }
        let mode = wishes[0].name.clone();
        let several = wishes.len() > 1;
        if several
            && wishes
                .iter()
                .any(|wish| matches!(wish.name.as_str(), "host" | "none") || wish.name.starts_with("container:"))
        {
            bail!("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
        }
        self.add_to_first(&mut wishes[0])?;
        if mode.starts_with("container:") || mode == "host" || mode == "none" {
            let spoken = wishes[0].settings != EndpointSettings::default();
            if spoken && mode.starts_with("container:") {
                bail!("conflicting options: custom addresses and the container type network mode");
            }
            if !spoken {
                return Ok(None);
            }
        }
        if wishes.len() == 1 && wishes[0].settings == EndpointSettings::default() {
            return Ok(None);
        }
        let mut endpoints_config = BTreeMap::new();
        for Wish { name, settings } in wishes {
            if endpoints_config.insert(name.clone(), settings).is_some() {
                bail!("network \"{name}\" is specified multiple times");
            }
        }
        Ok(Some(NetworkingConfig { endpoints_config }))
    }

    fn add_to_first(&self, first: &mut Wish) -> Result<()> {
        let settings = &mut first.settings;
        if !self.network_alias.is_empty() {
            if settings.aliases.is_some() {
                bail!("conflicting options: cannot specify both --network-alias and per-network alias");
            }
            settings.aliases = Some(self.network_alias.clone());
        }
        // On the default network they are no matter of the endpoint.
        let by_endpoint = !matches!(first.name.as_str(), "default" | "bridge" | "host" | "none")
            && !first.name.starts_with("container:");
        if by_endpoint && !self.link.is_empty() {
            settings.links = Some(self.link.clone());
        }
        let mut ipam = settings.ipam_config.clone().unwrap_or_default();
        for (given, wanted, flag) in
            [(&self.ip, &mut ipam.ipv4_address, "ip"), (&self.ip6, &mut ipam.ipv6_address, "ip6")]
        {
            if given.is_empty() {
                continue;
            }
            if !wanted.is_empty() {
                bail!("conflicting options: cannot specify both --{flag} and per-network IPv4 address");
            }
            wanted.clone_from(given);
        }
        settings.ipam_config = Some(ipam).filter(|ipam| *ipam != EndpointIpamConfig::default());
        if !self.mac_address.is_empty() {
            if !settings.mac_address.is_empty() {
                bail!("conflicting options: cannot specify both --mac-address and per-network MAC address");
            }
            settings.mac_address.clone_from(&self.mac_address);
        }
        Ok(())
    }

    /// What is exposed, and what is published.
    pub(super) fn ports(&self) -> Result<(Option<Keys>, Option<Bindings>)> {
        let (mut exposed, mut bindings) = (Keys::new(), Bindings::new());
        for text in &self.publish {
            for mapping in engine::parse_mapping(text).map_err(|error| anyhow::anyhow!("{error}"))? {
                exposed.insert(mapping.port.to_string(), Default::default());
                let binding = PortBinding { host_ip: mapping.host_address, host_port: mapping.host_port };
                bindings.entry(mapping.port.to_string()).or_default().get_or_insert_default().push(binding);
            }
        }
        for text in &self.expose {
            for port in engine::parse_exposed(text).map_err(|error| anyhow::anyhow!("{error}"))? {
                exposed.insert(port.to_string(), Default::default());
            }
        }
        Ok((
            Some(exposed).filter(|exposed| !exposed.is_empty()),
            Some(bindings).filter(|bindings| !bindings.is_empty()),
        ))
    }
}

fn wish(text: &str) -> Result<Wish> {
    if !text.contains('=') {
        return Ok(Wish { name: text.to_owned(), ..Wish::default() });
    }
    let mut wish = Wish::default();
    let mut ipam = EndpointIpamConfig::default();
    for field in text.split(',') {
        let Some((key, value)) = field.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            bail!("invalid field {field}");
        };
        let value = value.trim().to_owned();
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => wish.name = value,
            "alias" => wish.settings.aliases.get_or_insert_default().push(value),
            "ip" => ipam.ipv4_address = value,
            "ip6" => ipam.ipv6_address = value,
            "mac-address" => wish.settings.mac_address = value,
            "gw-priority" => {
                let invalid = |_| anyhow::anyhow!("invalid gw-priority ({value}): invalid syntax");
                wish.settings.gw_priority = value.parse().map_err(invalid)?;
            }
            other => bail!("invalid field key {other}"),
        }
    }
    if wish.name.is_empty() {
        bail!("network name/id is not specified");
    }
    wish.settings.ipam_config = Some(ipam).filter(|ipam| *ipam != EndpointIpamConfig::default());
    Ok(wish)
}

/// `--link name:alias`.
pub fn link(text: &str) -> Result<String, String> {
    engine::parse_link(text).map(|_| text.to_owned()).map_err(|error| error.message)
}

/// `--add-host name:address` or `name=address`.
pub fn extra_host(text: &str) -> Result<String, String> {
    let (name, address) = text
        .split_once(['=', ':'])
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("bad format for add-host: {text:?}"))?;
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    if address != "host-gateway" && bare.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("invalid IP address in add-host: {address:?}"));
    }
    Ok(format!("{name}:{bare}"))
}

/// `--dns 9.9.9.9`.
pub fn server(text: &str) -> Result<String, String> {
    text.trim()
        .parse::<std::net::IpAddr>()
        .map(|ip| ip.to_string())
        .map_err(|_| format!("IP address is not correctly formatted: {text}"))
}

/// `--dns-search lan.example`, or `.` for none at all.
pub fn search_domain(text: &str) -> Result<String, String> {
    let domain = text.trim_matches(' ');
    if domain == "." {
        return Ok(domain.to_owned());
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
    };
    let valid = domain.bytes().any(|byte| byte.is_ascii_alphabetic()) && domain.split('.').all(is_label);
    if valid && domain.len() < 255 { Ok(domain.to_owned()) } else { Err(format!("{text} is not a valid domain")) }
}

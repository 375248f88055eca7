//! `/etc/hostname`, `/etc/hosts` and `/etc/resolv.conf`: who the container is in its network, and whom it asks. Made
//! anew in its run folder at every start, and bind-mounted over those of the image.

use crate::container::record::{Container, Record};
use crate::info::in_user_namespace;
use crate::network::Attachment;
use crate::{Error, Result};
use network::dns::Upstream;
use network::outside;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

/// Asked when the host names no server that a container could reach.
const PUBLIC_SERVERS: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

/// Writes the three files. `attachments` are the container's places on its networks.
pub(crate) fn write(container: &Container, record: &Record, attachments: &[Attachment], links: &str) -> Result<()> {
    let host_network = record.host_config.network_mode == "host";
    let of_host = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let hosts =
        if host_network { hosts_on_host(of_host("/etc/hosts"), record) } else { hosts(record, attachments, links) };
    let has_names = attachments.iter().any(|attachment| !attachment.names.is_empty());
    let resolv_conf = resolv_conf(&of_host("/etc/resolv.conf"), record, has_names, in_user_namespace());
    for (name, text) in
        [("hostname", format!("{}\n", record.config.hostname)), ("hosts", hosts), ("resolv.conf", resolv_conf)]
    {
        let path = container.run.join(name);
        write_readable(&path, &text).map_err(|e| Error::system(format!("write {}", path.display()), e))?;
    }
    Ok(())
}

/// Writes the hosts anew, into the same file: it is mounted into the container.
pub(crate) fn update_hosts(
    container: &Container,
    record: &Record,
    attachments: &[Attachment],
    links: &str,
) -> Result<()> {
    let path = container.run.join("hosts");
    write_readable(&path, &hosts(record, attachments, links))
        .map_err(|e| Error::system(format!("write {}", path.display()), e))
}

/// Whom the container's own name server asks: the user's servers from within the container, else the host's from the host.
pub(crate) fn upstreams(record: &Record) -> Vec<Upstream> {
    let own = record.host_config.dns.as_deref().unwrap_or_default();
    let upstream = |text: &str, from_inside| {
        // A link-local address with its zone is of no use to others than this host.
        let address = SocketAddr::new(text.parse().ok()?, 53);
        Some(Upstream { address, from_inside })
    };
    if !own.is_empty() {
        return own.iter().filter_map(|text| upstream(text, true)).collect();
    }
    let of_host = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = of_host.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let servers = servers.filter_map(|text| upstream(text.trim(), false));
    let servers: Vec<_> = if in_user_namespace() {
        // They are asked by way of the outside, where the first of them have addresses of their own.
        let known = servers.zip(outside::NAME_SERVERS);
        known.map(|(server, address)| Upstream { address: SocketAddr::new(address.into(), 53), ..server }).collect()
    } else {
        servers.collect()
    };
    if !servers.is_empty() {
        return servers;
    }
    PUBLIC_SERVERS.iter().filter_map(|text| upstream(text, false)).collect()
}

/// Everybody in the container reads these files, whatever the umask.
fn write_readable(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o644).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(text.as_bytes())
}

/// What every container has in its `/etc/hosts`.
const LOCAL: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\t\
                     ip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

/// On the host's network: the host's own, unless names are added. Then it is as any container's, so that a name that the host's
/// file has can be given another address; `host-gateway` is the network that it is on.
fn hosts_on_host(of_host: String, record: &Record) -> String {
    let added: Vec<_> = record.host_config.extra_hosts.iter().flatten().collect();
    if added.is_empty() {
        return of_host;
    }
    let mut text = with_extra_hosts(LOCAL.to_owned(), record, &[]);
    for name in added.iter().filter_map(|entry| entry.strip_suffix("host-gateway")) {
        text.push_str(&format!("127.0.0.1\t{}\n", name.trim_end_matches([':', '='])));
    }
    text
}

fn hosts(record: &Record, attachments: &[Attachment], links: &str) -> String {
    let mut text = with_extra_hosts(LOCAL.to_owned(), record, attachments);
    text.push_str(links);
    let (name, domain) = (&record.config.hostname, &record.config.domainname);
    let names = if domain.is_empty() { name.clone() } else { format!("{name}.{domain} {name}") };
    for address in attachments.iter().flat_map(|attachment| &attachment.addresses) {
        text.push_str(&format!("{}\t{names}\n", address.address));
    }
    text
}

/// `--add-host`: `name:address`, the address perhaps in brackets. `host-gateway` is the host, as the container reaches it.
fn with_extra_hosts(mut text: String, record: &Record, attachments: &[Attachment]) -> String {
    let gateways = attachments.iter().filter(|attachment| attachment.leads_out).flat_map(|a| &a.gateways);
    // Behind an ordinary user's bridge there is not yet the host.
    let host =
        gateways.map(|gateway| if in_user_namespace() { outside::HOST.to_string() } else { gateway.to_string() });
    let host: Vec<String> = host.collect();
    for entry in record.host_config.extra_hosts.iter().flatten() {
        if let Some((name, address)) = entry.split_once(['=', ':']) {
            let address = address.trim_start_matches('[').trim_end_matches(']');
            let addresses = if address == "host-gateway" { host.clone() } else { vec![address.to_owned()] };
            addresses.iter().for_each(|address| text.push_str(&format!("{address}\t{name}\n")));
        }
    }
    text
}

/// The host's, with the user's servers, search domains and options in the place of its own. A server on the host's own
/// loopback cannot be reached from another network namespace, and is left out.
/// On a network with names, there is one server: the container's own (it asks the others), and every name is asked of it as it is.
fn resolv_conf(of_host: &str, record: &Record, has_names: bool, by_outside: bool) -> String {
    let host = &record.host_config;
    let lines = |keyword: &str| -> Vec<String> {
        let values = of_host.lines().filter_map(|line| line.trim().strip_prefix(keyword));
        values.filter(|rest| rest.starts_with([' ', '\t'])).map(|rest| rest.trim().to_owned()).collect()
    };
    let or_host = |own: &Option<Vec<String>>, keyword| match own {
        Some(own) if !own.is_empty() => own.clone(),
        _ => lines(keyword),
    };
    let mut servers = or_host(&host.dns, "nameserver");
    if host.network_mode != "host" && host.dns.as_ref().is_none_or(Vec::is_empty) {
        if by_outside {
            // There it can be reached all the same, by another address.
            for (server, address) in servers.iter_mut().zip(outside::NAME_SERVERS) {
                if server.starts_with("127.") || *server == "::1" {
                    *server = address.to_string();
                }
            }
        }
        servers.retain(|server| !server.starts_with("127.") && server != "::1");
        if servers.is_empty() {
            servers = PUBLIC_SERVERS.map(Into::into).into();
        }
    }
    if has_names {
        servers = vec![network::dns::ADDRESS.to_string()];
    }
    let mut text: String = servers.iter().map(|server| format!("nameserver {server}\n")).collect();
    // `--dns-search .` wants none at all.
    let search: Vec<_> = or_host(&host.dns_search, "search").into_iter().filter(|domain| domain != ".").collect();
    if !search.is_empty() {
        text.push_str(&format!("search {}\n", search.join(" ")));
    }
    let mut options = or_host(&host.dns_options, "options");
    if has_names && !options.iter().any(|option| option.contains("ndots:")) {
        options.push("ndots:0".to_owned());
    }
    if !options.is_empty() {
        text.push_str(&format!("options {}\n", options.join(" ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::HostConfig;

    fn record(host_config: HostConfig) -> Record {
        crate::container::record::tests::record("web", Default::default(), host_config)
    }

    #[test]
    fn servers_on_the_hosts_loopback_are_of_no_use_to_a_container() {
        let of_host = "# made by hand\nnameserver 127.0.0.53\nsearch lan home\noptions edns0 trust-ad\n";
        insta::assert_snapshot!(resolv_conf(of_host, &record(HostConfig::default()), false, false), @r"
        nameserver 8.8.8.8
        nameserver 8.8.4.4
        search lan home
        options edns0 trust-ad
        ");
        let host = HostConfig { network_mode: "host".into(), ..Default::default() };
        // But by way of an ordinary user's outside they are asked.
        let asked = resolv_conf(of_host, &record(HostConfig::default()), false, true);
        assert!(asked.starts_with("nameserver 192.0.0.2\nsearch"), "{asked}");
        assert!(resolv_conf(of_host, &record(host), false, false).contains("nameserver 127.0.0.53\n"));
    }

    #[test]
    fn the_users_servers_domains_and_options_replace_the_hosts() {
        let list = |value: &str| Some(vec![value.to_owned()]);
        let own = HostConfig {
            dns: list("127.0.0.1"),
            dns_search: list("."),
            dns_options: list("ndots:1"),
            ..Default::default()
        };
        insta::assert_snapshot!(resolv_conf("nameserver 9.9.9.9\nsearch lan\n", &record(own), false, false), @r"
        nameserver 127.0.0.1
        options ndots:1
        ");
    }

    #[test]
    fn extra_hosts_come_last() {
        let own =
            HostConfig { extra_hosts: Some(vec!["db:10.0.0.2".into(), "six:[fe80::1]".into()]), ..Default::default() };
        let text = hosts(&record(own), &[], "");
        assert!(text.starts_with("127.0.0.1\tlocalhost\n") && text.ends_with("10.0.0.2\tdb\nfe80::1\tsix\n"), "{text}");
    }
}

//! `kesako registry serve`.

use super::Plain;
use crate::output::warn;
use crate::session::Session;
use ::registry::credentials::{File, host_of, key_of_host};
use ::registry::server::{Options, Server, Upstream};
use anyhow::{Context, bail};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// Serve a registry
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Address to listen on
    #[arg(long, value_name = "host:port", default_value = "0.0.0.0:5000")]
    addr: String,
    /// Folder for everything the registry keeps (default: "registry" in the data root)
    #[arg(long, value_name = "folder")]
    root: Option<PathBuf>,
    /// Only let users in who are in this file, as htpasswd -B writes it
    #[arg(long, value_name = "file")]
    htpasswd: Option<PathBuf>,
    /// Certificate in PEM, for HTTPS
    #[arg(long, value_name = "file")]
    tls_cert: Option<PathBuf>,
    /// Its key in PEM
    #[arg(long, value_name = "file")]
    tls_key: Option<PathBuf>,
    /// Fetch what is not here from another registry, and keep it ("https://registry-1.docker.io")
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Refuse pushes and deletions
    #[arg(long)]
    read_only: bool,
}

impl Plain for Serve {
    fn run(self, session: Session) -> anyhow::Result<()> {
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("--tls-cert and --tls-key are given together, or not at all"),
        };
        let engine = session.engine()?;
        let mirror = match self.mirror {
            None => None,
            Some(address) if address.starts_with("https://") || address.starts_with("http://") => Some(Upstream {
                settings: engine.registries()?,
                credentials: match File::of_user() {
                    Ok(file) => file.get(key_of_host(host_of(&address)))?,
                    // Without a home there is no file.
                    Err(_) => None,
                },
                address,
            }),
            Some(address) => bail!("--mirror {address}: write it as https://host:port"),
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let root = self.root.unwrap_or_else(|| engine.roots.data.join("registry"));
        let server = Server::listen(Options {
            address: address(&self.addr)?,
            root: root.clone(),
            htpasswd: self.htpasswd,
            tls,
            mirror,
            read_only: self.read_only,
        })
        .with_context(|| format!("cannot serve on {}", self.addr))?;
        warn(format!("kesako: registry on {scheme}://{}, kept in {}", server.address()?, root.display()));
        // A request that meets an open exercise is answered with that, and the registry goes on.
        Ok(engine::answering(|_| {}, || Ok(server.telling(engine::exercise_met).run()))??)
    }
}

/// `host:port`, or `:port` for all addresses.
fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let whole = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    let mut found = whole.to_socket_addrs().with_context(|| format!("--addr {text}: write it as host:port"))?;
    found.next().with_context(|| format!("--addr {text}: this host has no address"))
}

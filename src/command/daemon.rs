//! `kesako daemon`, which is also `kesako -d`.

use super::Plain;
use crate::output::warn;
use crate::session::Session;
use ::daemon::{Address, Daemon as Server, group_id};

/// Serve the Engine API on a socket
#[derive(Debug, clap::Args)]
pub(super) struct Daemon {
    /// Socket to listen on, as often as wanted (default: kesako.sock in the runtime folder)
    #[arg(short = 'H', long = "host", value_name = "list")]
    hosts: Vec<String>,
    /// Group that may connect, besides root
    #[arg(short = 'G', long)]
    group: Option<String>,
}

impl Plain for Daemon {
    fn run(self, mut session: Session) -> anyhow::Result<()> {
        let group = match &self.group {
            Some(name) => {
                let id = name.parse().ok().or_else(|| group_id(name));
                Some(id.ok_or_else(|| anyhow::anyhow!("there is no group {name:?} in /etc/group"))?)
            }
            None => None,
        };
        // `kesako -d -H …` and `kesako daemon -H …` are the same; KESAKO_HOST is for clients.
        let mut hosts = std::mem::take(&mut session.globals.hosts);
        hosts.extend(self.hosts);
        let engine = session.engine()?;
        let mut addresses = hosts.iter().map(|host| address(host, group)).collect::<anyhow::Result<Vec<_>>>()?;
        if addresses.is_empty() {
            addresses.push(Address { path: engine.roots.run.join("kesako.sock"), group });
        }
        let server = Server::listen(engine.clone(), &addresses)?;
        for address in &addresses {
            warn(format!("kesako: API listens on unix://{}", address.path.display()));
        }
        // Only who listens is the daemon of this root: what should always run (`--restart always`, `unless-stopped`) and
        // does not, as after a boot of the host, is now its business. What will not start is no reason not to serve.
        for (name, error) in engine.resume()? {
            warn(format!("kesako: container {name} should run, and does not start: {error}"));
        }
        Ok(server.run()?)
    }
}

fn address(host: &str, group: Option<u32>) -> anyhow::Result<Address> {
    match host.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => Ok(Address { path: path.into(), group }),
        Some(("unix", _)) => {
            anyhow::bail!("the path of a socket is written whole: -H unix:///run/kesako.sock, not {host:?}")
        }
        _ => anyhow::bail!("cannot listen on {host:?}: only unix:///PATH is supported so far"),
    }
}

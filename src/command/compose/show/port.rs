//! `kesako compose port`.

use crate::arguments::integer;
use crate::command::compose::{Context, Member};
use crate::output::say;
use ::compose::containers::OneOff;
use anyhow::bail;

/// Print the public port for a port binding
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Port {
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    index: i64,
    /// tcp or udp
    #[arg(long, default_value = "tcp")]
    protocol: String,
    #[arg(required = true)]
    service: String,
    #[arg(required = true)]
    private_port: String,
}

impl Member for Port {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let port: u16 = match self.private_port.parse() {
            Ok(port) => port,
            Err(_) => bail!("strconv.ParseUint: parsing {:?}: invalid syntax", self.private_port),
        };
        let protocol = self.protocol.to_lowercase();
        let client = context.connect()?;
        let container = context.one(&client, &self.service, self.index, OneOff::With, false).await?;
        let ports = &container.summary.ports;
        let Some(found) = ports.iter().find(|found| found.private_port == port && found.r#type == protocol) else {
            let there: Vec<_> = ports.iter().map(|port| format!("{}/{}", port.private_port, port.r#type)).collect();
            bail!("no port {port}/{protocol} for container {}: {}", container.name, there.join(", "));
        };
        let public = found.public_port.unwrap_or(0);
        match found.ip.contains(':') {
            true => say(format_args!("[{}]:{public}", found.ip)),
            false => say(format_args!("{}:{public}", found.ip)),
        }
    }
}

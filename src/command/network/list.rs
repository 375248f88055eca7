//! `kesako network ls`.

use crate::command::Verb;
use crate::flags::{config, filter};
use crate::format::{Format, Row, Rows, short_id};
use crate::help;
use crate::session::Session;
use engine::api::Network;

/// List networks
#[derive(Debug, clap::Args)]
pub(in crate::command) struct List {
    /// Provide filter values (e.g. "driver=bridge")
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    #[arg(long, help = help::LIST_FORMAT)]
    format: Option<String>,
    /// Do not truncate the output
    #[arg(long)]
    no_trunc: bool,
    /// Only display network IDs
    #[arg(short, long)]
    quiet: bool,
}

const ROWS: Rows = Rows {
    go_type: "*network.networkContext",
    headings: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ],
};

impl Verb for List {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let filters = filter::collect(&self.filter);
        let mut networks: Vec<Network> =
            session.connect()?.get("/networks").query_json("filters", &filters).json().await?;
        networks.sort_by(|a, b| a.name.cmp(&b.name));
        let source = match &self.format {
            Some(format) if !format.is_empty() => format.clone(),
            _ => config::setting("networksFormat").filter(|_| !self.quiet).unwrap_or_else(|| "table".to_owned()),
        };
        let format = match source.as_str() {
            "table" if self.quiet => Format::new("{{.ID}}"),
            "table" => Format::new("table {{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}"),
            other => Format::new(other),
        };
        ROWS.print(&format, networks.into_iter().map(|network| row(network, !self.no_trunc)).collect())
    }
}

fn row(network: Network, short: bool) -> Row {
    let id = if short { short_id(&network.id).to_owned() } else { network.id.clone() };
    let labels: Vec<_> = network.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let columns = vec![
        ("ID", id.into()),
        ("Name", network.name.into()),
        ("Driver", network.driver.into()),
        ("Scope", network.scope.into()),
        ("IPv4", network.enable_ipv4.to_string().into()),
        ("IPv6", network.enable_ipv6.to_string().into()),
        ("Internal", network.internal.to_string().into()),
        ("Labels", labels.join(",").into()),
        ("CreatedAt", network.created.into()),
    ];
    Row { columns, labels: Some(network.labels) }
}

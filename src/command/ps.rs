//! `kesako ps`.

use super::Verb;
use crate::arguments::integer;
use crate::flags::{config, filter};
use crate::format::template::Value;
use crate::format::{Format, Row, Rows, ellipsis, ports, quote, short_id, units};
use crate::help;
use crate::output::warn;
use crate::session::Session;
use engine::api::ContainerSummary;

/// List containers
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    #[arg(long, help = help::LIST_FORMAT)]
    format: Option<String>,
    /// Show n last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "int", value_parser = integer, default_value = "-1")]
    last: i64,
    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    latest: bool,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only display container IDs
    #[arg(short, long)]
    quiet: bool,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
}

pub(super) const ROWS: Rows = Rows {
    go_type: "*formatter.ContainerContext",
    headings: &[
        ("ID", "CONTAINER ID"),
        ("Names", "NAMES"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
};

impl Verb for List {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        if self.quiet && self.format.as_ref().is_some_and(|format| !format.is_empty()) {
            warn("WARNING: Ignoring custom format, because both --format and --quiet are set.");
        }
        let format = self.chosen_format();
        ROWS.check(&format)?;
        let client = session.connect()?;
        let mut request = client.get("/containers/json").query_json("filters", &filter::collect(&self.filter));
        if self.all {
            request = request.query("all", 1);
        }
        let limit = if self.latest { 1 } else { self.last };
        if limit > 0 {
            request = request.query("limit", limit);
        }
        // Sizes are costly to find out: only when they are shown.
        if self.size || format.mentions(".Size") {
            request = request.query("size", 1);
        }
        let containers: Vec<ContainerSummary> = request.json().await?;
        ROWS.print(&format, containers.iter().map(|c| row(c, !self.no_trunc)).collect())
    }
}

impl List {
    fn chosen_format(&self) -> Format {
        let source = match &self.format {
            Some(format) if !format.is_empty() => format.clone(),
            _ => config::setting("psFormat").filter(|_| !self.quiet).unwrap_or_else(|| "table".to_owned()),
        };
        let table = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
        match source.as_str() {
            _ if self.quiet => Format::new("{{.ID}}"),
            "table" if self.size => Format::new(&format!("{table}\t{{{{.Size}}}}")),
            "table" => Format::new(table),
            other => Format::new(other),
        }
    }
}

pub(super) fn row(container: &ContainerSummary, truncate: bool) -> Row {
    let id = if truncate { short_id(&container.id) } else { &container.id };
    let command = if truncate { ellipsis(&container.command, 20) } else { container.command.clone() };
    let labels: Vec<_> = container.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mounts = container.mounts.iter().map(|mount| {
        let name = if mount.name.is_empty() { &mount.source } else { &mount.name };
        if truncate { ellipsis(name, 15) } else { name.clone() }
    });
    let local = container.mounts.iter().filter(|mount| mount.driver == "local").count();
    let networks: Vec<_> = container.network_settings.networks.keys().cloned().collect();
    Row {
        columns: vec![
            ("ID", id.into()),
            ("Names", names(container, truncate).into()),
            ("Image", image(container, truncate).into()),
            ("Command", quote(&command).into()),
            ("CreatedAt", units::date(container.created).into()),
            ("RunningFor", units::ago(container.created).into()),
            ("Ports", ports::list(&container.ports).into()),
            ("State", container.state.as_str().into()),
            ("Status", container.status.as_str().into()),
            ("Size", size(container).into()),
            ("Labels", labels.join(",").into()),
            ("Mounts", mounts.collect::<Vec<_>>().join(",").into()),
            ("LocalVolumes", local.to_string().into()),
            ("Networks", networks.join(",").into()),
            ("Platform", Value::Nil),
        ],
        labels: Some(container.labels.clone()),
    }
}

/// Without the slash before; the first that is no link when there is room for one only.
fn names(container: &ContainerSummary, truncate: bool) -> String {
    let mut names = container.names.iter().map(|name| name.strip_prefix('/').unwrap_or(name));
    if truncate {
        return names.find(|name| !name.contains('/')).unwrap_or_default().to_owned();
    }
    names.collect::<Vec<_>>().join(",")
}

fn image(container: &ContainerSummary, truncate: bool) -> String {
    match container.image.as_str() {
        "" => "<no image>".to_owned(),
        image if truncate && short_id(image) == short_id(&container.image_id) => short_id(image).to_owned(),
        // A digest after a name says nothing at a glance.
        image if truncate && !image.starts_with("sha256:") => image.split('@').next().unwrap_or(image).to_owned(),
        image => image.to_owned(),
    }
}

fn size(container: &ContainerSummary) -> String {
    let own = units::size(container.size_rw.unwrap_or(0), 3);
    match container.size_root_fs {
        Some(all) if all > 0 => format!("{own} (virtual {})", units::size(all, 3)),
        _ => own,
    }
}

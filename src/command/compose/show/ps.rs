//! `kesako compose ps`.

use crate::command::compose::{Context, Member, fail};
use crate::flags::config;
use crate::format::template::Value;
use crate::format::{Format, Row, Rows};
use crate::help;
use crate::output::say;
use ::compose::containers::{self, Container, OneOff, Wanted};
use ::compose::labels;
use ::daemon::Client;
use anyhow::bail;
use engine::api::ContainerInspect;
use serde_json::json;
use std::collections::BTreeSet;

/// List containers
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct List {
    /// Show all stopped containers (including those created by the run command)
    #[arg(short, long)]
    all: bool,
    /// Filter services by a property (supported filters: status)
    #[arg(long, value_name = "string")]
    filter: Option<String>,
    #[arg(long, help = help::LIST_FORMAT)]
    format: Option<String>,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Include orphaned services (not declared by project)
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    orphans: bool,
    /// Only display IDs
    #[arg(short, long)]
    quiet: bool,
    /// Display services
    #[arg(long)]
    services: bool,
    /// Filter services by status. Values: [paused | restarting | removing | running | dead | created | exited]
    #[arg(long, value_name = "stringArray")]
    status: Vec<String>,
    #[arg(value_name = "SERVICE")]
    names: Vec<String>,
}

const ROWS: Rows = Rows {
    go_type: "*formatter.ContainerContext",
    headings: &[
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("Names", "NAMES"),
        ("Project", "PROJECT"),
        ("Service", "SERVICE"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("Publishers", "PUBLISHERS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Health", "HEALTH"),
        ("ExitCode", "EXIT CODE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
    ],
};

const TABLE: &str = "table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}";

impl Member for List {
    async fn run(mut self, context: &Context) -> anyhow::Result<()> {
        if let Some(filter) = self.filter.take().filter(|filter| !filter.is_empty()) {
            match filter.split_once('=') {
                Some(("status", state)) => self.status.push(state.to_owned()),
                Some((key, _)) => bail!("unknown filter {key}"),
                None => bail!("arguments to --filter should be in form KEY=VAL"),
            }
        }
        let format = self.chosen_format();
        ROWS.check(&format)?;
        let client = context.connect()?;
        let (project, name) = context.project_or_name(&self.names)?;
        let services = match project.filter(|_| self.names.is_empty() && !self.orphans) {
            Some(project) => project.names("services"),
            None => self.names.clone(),
        };
        let all = self.all || !self.status.is_empty();
        let one_off = if all { OneOff::With } else { OneOff::Without };
        let wanted = Wanted { project: &name, services: &services, one_off, all };
        let mut containers = containers::find(&client, wanted).await.map_err(fail)?;
        containers.retain(|container| self.status.is_empty() || self.status.iter().any(|s| s == container.state()));
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        if self.quiet {
            return containers.iter().try_for_each(|container| say(&container.id));
        }
        if self.services {
            let mut seen = BTreeSet::new();
            let mut services = containers.iter().map(|container| &container.service);
            return services.try_for_each(|service| if seen.insert(service) { say(service) } else { Ok(()) });
        }
        let inspect = ["Health", "ExitCode", "json"].iter().any(|field| format.mentions(field));
        let mut rows = Vec::new();
        for container in &containers {
            let inside = if inspect { look(&client, container).await? } else { Inside::default() };
            rows.push(row(container, &inside, !self.no_trunc));
        }
        ROWS.print(&format, rows)
    }
}

impl List {
    fn chosen_format(&self) -> Format {
        let given = self.format.clone().filter(|format| !format.is_empty());
        match given.or_else(|| config::setting("psFormat")).as_deref() {
            None | Some("table") => Format::new(TABLE),
            Some(other) => Format::new(other),
        }
    }
}

/// What the engine's list does not say.
#[derive(Default)]
struct Inside {
    health: &'static str,
    exit_code: i64,
}

async fn look(client: &Client, container: &Container) -> anyhow::Result<Inside> {
    let inspect: ContainerInspect = match client.get(format!("/containers/{}/json", container.id)).json().await {
        // It has gone since it was listed.
        Err(error) if error.status == 404 => return Ok(Inside::default()),
        answer => answer?,
    };
    let state = inspect.state;
    Ok(match state.status.as_str() {
        "running" => Inside { health: state.health.map_or("", |health| health.status.as_str()), exit_code: 0 },
        "exited" | "dead" => Inside { health: "", exit_code: state.exit_code.into() },
        _ => Inside::default(),
    })
}

/// As `kesako ps` has it, and what is a project's own.
fn row(container: &Container, inside: &Inside, truncate: bool) -> Row {
    let summary = &container.summary;
    let mut row = crate::command::ps::row(summary, truncate);
    row.columns.retain(|(name, _)| ROWS.headings.iter().any(|(wanted, _)| wanted == name));
    // Docker compose shows an image as the engine calls it.
    row.columns.retain(|(name, _)| *name != "Image");
    let mut published: Vec<_> = summary.ports.iter().collect();
    published.sort_by_key(|port| port.private_port);
    let publishers = published.iter().map(|port| {
        json!({"URL": port.ip, "TargetPort": port.private_port, "PublishedPort": port.public_port.unwrap_or(0),
            "Protocol": port.r#type})
    });
    row.columns.extend([
        ("Name", container.name.as_str().into()),
        ("Project", container.label(labels::PROJECT).into()),
        ("Service", container.service.as_str().into()),
        ("Image", summary.image.as_str().into()),
        ("Publishers", Value::from_json(&publishers.collect())),
        ("Health", inside.health.into()),
        ("ExitCode", Value::from_json(&json!(inside.exit_code))),
    ]);
    row
}

//! `kesako compose volumes`.

use crate::command::compose::{Context, Member};
use crate::command::volume::{ROWS, row};
use crate::format::{Format, natural};
use crate::help;
use ::compose::labels;
use engine::api::{ContainerSummary, VolumeList};
use std::collections::{BTreeMap, BTreeSet};

/// List volumes
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Volumes {
    #[arg(long, default_value = "table", help = help::LIST_FORMAT)]
    format: String,
    /// Only display volume names
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Volumes {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let format = match self.format.as_str() {
            _ if self.quiet => Format::new("{{.Name}}"),
            "" | "table" => Format::new("table {{.Driver}}\t{{.Name}}"),
            other => Format::new(other),
        };
        ROWS.check(&format)?;
        let client = context.connect()?;
        let (_, project) = context.project_or_name(&self.services)?;
        let by_label = BTreeMap::from([("label", [format!("{}={project}", labels::PROJECT)])]);
        let list: VolumeList = client.get("/volumes").query_json("filters", &by_label).json().await?;
        let mut volumes = list.volumes;
        if !self.services.is_empty() {
            let request = client.get("/containers/json").query_json("filters", &by_label);
            let containers: Vec<ContainerSummary> = request.json().await?;
            let is_of = |container: &&ContainerSummary| {
                container.labels.get(labels::SERVICE).is_some_and(|service| self.services.contains(service))
            };
            let used: BTreeSet<_> = containers
                .iter()
                .filter(is_of)
                .flat_map(|container| &container.mounts)
                .map(|mount| &mount.name)
                .collect();
            volumes.retain(|volume| used.contains(&volume.name));
        }
        volumes.sort_by(|a, b| natural::compare(&a.name, &b.name));
        ROWS.print(&format, volumes.iter().map(row).collect())
    }
}

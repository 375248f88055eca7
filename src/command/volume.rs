//! `kesako volume create`, `ls`, `inspect`, `rm`, `prune`.

use super::inspect::{Kind, inspect};
use super::prune::confirm;
use super::{Verb, each};
use crate::flags::{config, environment, filter};
use crate::format::template::Value;
use crate::format::{Format, Row, Rows, natural, units};
use crate::help;
use crate::output::say;
use crate::session::Session;
use engine::api::{Volume, VolumeCreate, VolumeList, VolumeUsage, VolumesPruned};
use std::collections::BTreeMap;

/// Create a volume
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Specify volume driver name
    #[arg(short, long, default_value = "local")]
    driver: String,
    /// Set metadata for a volume
    #[arg(long, value_parser = environment::check_label)]
    label: Vec<String>,
    /// Specify volume name
    #[arg(long, hide = true)]
    name: Option<String>,
    /// Set driver specific options
    #[arg(short, long, value_name = "map")]
    opt: Vec<String>,
    volume: Option<String>,
}

/// List volumes
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Provide filter values (e.g. "dangling=true")
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    #[arg(long, help = help::LIST_FORMAT)]
    format: Option<String>,
    /// Only display volume names
    #[arg(short, long)]
    quiet: bool,
}

/// Display detailed information on one or more volumes
#[derive(Debug, clap::Args)]
pub(super) struct Inspect {
    #[arg(short, long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
    #[arg(required = true)]
    volumes: Vec<String>,
}

/// Remove one or more volumes
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// Force the removal of one or more volumes
    #[arg(short, long)]
    force: bool,
    #[arg(required = true)]
    volumes: Vec<String>,
}

/// Remove unused local volumes
#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// Remove all unused volumes, not just anonymous ones
    #[arg(short, long)]
    all: bool,
    /// Provide filter values (e.g. "label=<label>")
    #[arg(long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

pub(super) const ROWS: Rows = Rows {
    go_type: "*formatter.volumeContext",
    headings: &[
        ("Name", "VOLUME NAME"),
        ("Group", "GROUP"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("Availability", "AVAILABILITY"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Labels", "LABELS"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
        ("Status", "STATUS"),
    ],
};

impl Verb for Create {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let name = match (self.volume, self.name.filter(|name| !name.is_empty())) {
            (Some(_), Some(_)) => {
                anyhow::bail!(
                    "conflicting options: cannot specify a volume-name through both --name and as a positional arg"
                )
            }
            (given, named) => given.or(named).unwrap_or_default(),
        };
        let pairs = |list: &[String]| -> BTreeMap<_, _> { list.iter().map(|text| environment::pair(text)).collect() };
        let some = |map: BTreeMap<String, String>| (!map.is_empty()).then_some(map);
        let (driver_opts, labels) = (some(pairs(&self.opt)), some(pairs(&self.label)));
        let request = VolumeCreate { name, driver: self.driver, driver_opts, labels };
        let made: Volume = session.connect()?.post("/volumes/create").body_json(&request).json().await?;
        say(made.name)
    }
}

impl Verb for List {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let filters = filter::collect(&self.filter);
        let client = session.connect()?;
        let list: VolumeList = client.get("/volumes").query_json("filters", &filters).json().await?;
        let mut volumes = list.volumes;
        volumes.sort_by(|a, b| natural::compare(&a.name, &b.name));
        ROWS.print(&self.chosen_format(), volumes.iter().map(row).collect())
    }
}

impl List {
    fn chosen_format(&self) -> Format {
        let source = match &self.format {
            Some(format) if !format.is_empty() => format.clone(),
            _ => config::setting("volumesFormat").filter(|_| !self.quiet).unwrap_or_else(|| "table".to_owned()),
        };
        match source.as_str() {
            "table" if self.quiet => Format::new("{{.Name}}"),
            "table" => Format::new("table {{.Driver}}\t{{.Name}}"),
            "raw" if self.quiet => Format::new("name: {{.Name}}"),
            "raw" => Format::new("name: {{.Name}}\ndriver: {{.Driver}}\n"),
            other => Format::new(other),
        }
    }
}

pub(super) fn row(volume: &Volume) -> Row {
    let labels = volume.labels.clone().unwrap_or_default();
    let shown: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    // What only a swarm's volumes have, and what the list does not count.
    let not_here = || Value::from("N/A");
    let counted =
        |show: fn(&VolumeUsage) -> String| volume.usage_data.as_ref().map_or_else(not_here, |usage| show(usage).into());
    Row {
        columns: vec![
            ("Name", volume.name.as_str().into()),
            ("Group", not_here()),
            ("Driver", volume.driver.as_str().into()),
            ("Scope", volume.scope.as_str().into()),
            ("Availability", not_here()),
            ("Mountpoint", volume.mountpoint.as_str().into()),
            ("Labels", shown.join(",").into()),
            ("Links", counted(|usage| usage.ref_count.to_string())),
            ("Size", counted(|usage| units::size(usage.size, 4))),
            ("Status", not_here()),
        ],
        labels: Some(labels),
    }
}

impl Verb for Inspect {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        inspect(&session, &[Kind::Volume], &self.volumes, false, self.format.as_deref()).await
    }
}

impl Verb for Remove {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let force = self.force;
        each(&session, &self.volumes, move |client, name| async move {
            if name.trim().is_empty() {
                anyhow::bail!("invalid volume name or ID: value is empty");
            }
            let mut request = client.delete(format!("/volumes/{name}"));
            if force {
                request = request.query("force", 1);
            }
            request.send().await?;
            Ok(name)
        })
        .await
    }
}

impl Verb for Prune {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let mut filters = filter::collect(&self.filter);
        let warning = match self.all {
            true => "WARNING! This will remove all local volumes not used by at least one container.",
            false => "WARNING! This will remove anonymous local volumes not used by at least one container.",
        };
        if self.all && filters.insert("all".to_owned(), vec!["true".to_owned()]).is_some() {
            anyhow::bail!("conflicting options: cannot specify both --all and --filter all=1");
        }
        if !confirm(self.force, warning)? {
            return Ok(());
        }
        let client = session.connect()?;
        let pruned: VolumesPruned = client.post("/volumes/prune").query_json("filters", &filters).json().await?;
        if !pruned.volumes_deleted.is_empty() {
            say(format!("Deleted Volumes:\n{}\n", pruned.volumes_deleted.join("\n")))?;
        }
        say(format!("Total reclaimed space: {}", units::size(pruned.space_reclaimed as i64, 4)))
    }
}

//! The containers of a project as the engine knows them: found by their labels, whoever made them.

use crate::error::Result;
use crate::labels;
use crate::model::{Condition, Dependency};
use crate::order::Dependencies;
use daemon::Client;
use engine::api::ContainerSummary;
use std::collections::BTreeMap;

/// A container of a project.
#[derive(Clone, Debug)]
pub struct Container {
    pub id: String,
    /// Without its slash.
    pub name: String,
    pub service: String,
    pub number: u32,
    /// Made by `run`.
    pub one_off: bool,
    /// As the engine lists it.
    pub summary: ContainerSummary,
}

/// Which containers of a service are meant: those of `up`, those of `run`, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OneOff {
    #[default]
    Without,
    Only,
    With,
}

/// Which containers are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub project: &'a str,
    /// None is all.
    pub services: &'a [String],
    pub one_off: OneOff,
    /// Also those that do not run.
    pub all: bool,
}

/// The containers of a project, by service and number.
///
/// # Errors
/// The engine cannot be asked.
pub async fn find(client: &Client, wanted: Wanted<'_>) -> Result<Vec<Container>> {
    let mut by_label = vec![format!("{}={}", labels::PROJECT, wanted.project), labels::CONFIG_HASH.to_owned()];
    match wanted.one_off {
        OneOff::Without => by_label.push(format!("{}=False", labels::ONE_OFF)),
        OneOff::Only => by_label.push(format!("{}=True", labels::ONE_OFF)),
        OneOff::With => {}
    }
    let filters = BTreeMap::from([("label", by_label)]);
    let request = client.get("/containers/json").query("all", wanted.all).query_json("filters", &filters);
    let summaries: Vec<ContainerSummary> = request.json().await?;
    let mut containers: Vec<Container> = summaries.into_iter().map(Container::new).collect();
    containers.retain(|container| wanted.services.is_empty() || wanted.services.contains(&container.service));
    containers
        .sort_by(|a, b| (&a.service, a.one_off, a.number, &a.name).cmp(&(&b.service, b.one_off, b.number, &b.name)));
    Ok(containers)
}

impl Container {
    pub(crate) fn new(summary: ContainerSummary) -> Self {
        let label = |name| summary.labels.get(name).cloned().unwrap_or_default();
        // A link to it is a name with a second slash.
        let names = summary.names.iter().map(|name| name.strip_prefix('/').unwrap_or(name));
        let name =
            names.clone().find(|name| !name.contains('/')).or(names.clone().next()).unwrap_or_default().to_owned();
        Self {
            id: summary.id.clone(),
            name,
            service: label(labels::SERVICE),
            number: label(labels::NUMBER).parse().unwrap_or_default(),
            one_off: label(labels::ONE_OFF) == "True",
            summary,
        }
    }

    /// A label, empty if it has none of that name.
    pub fn label(&self, name: &str) -> &str {
        self.summary.labels.get(name).map_or("", String::as_str)
    }

    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub fn state(&self) -> &str {
        &self.summary.state
    }

    /// Whether a process is in it.
    pub fn is_up(&self) -> bool {
        matches!(self.state(), "running" | "paused" | "restarting")
    }

    /// The volumes without a name, those that it took over from the one before it included: these the engine takes for named ones,
    /// and leaves them when it removes the container with its volumes.
    pub(crate) fn anonymous_volumes(&self) -> impl Iterator<Item = &str> {
        let random = |name: &&str| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.summary.mounts.iter().map(|mount| mount.name.as_str()).filter(random)
    }

    /// How its lines are marked: `web-1`, or the name that the file gave it.
    pub fn mark(&self) -> &str {
        mark(&self.name, |label| self.label(label))
    }

    /// Whom its service waits for, and how.
    pub fn depends_on(&self) -> BTreeMap<String, Dependency> {
        let parts = self.label(labels::DEPENDS_ON).split(',').filter(|part| !part.is_empty());
        let one = |part: &str| {
            let mut fields = part.split(':');
            let name = fields.next().unwrap_or_default().to_owned();
            let condition = fields.next().and_then(Condition::parse).unwrap_or_default();
            (name, Dependency { condition, restart: fields.next() == Some("true"), required: true })
        };
        parts.map(one).collect()
    }
}

/// The name without its project, if it is the one that a container has by itself.
pub(crate) fn mark<'a>(name: &'a str, label: impl Fn(&str) -> &'a str) -> &'a str {
    let (project, service, number) = (label(labels::PROJECT), label(labels::SERVICE), label(labels::NUMBER));
    let rest = name.strip_prefix(project).filter(|rest| {
        // docker-compose joins them by `_`.
        ['-', '_'].iter().any(|by| *rest == format!("{by}{service}{by}{number}"))
    });
    rest.map_or(name, |rest| &rest[1..])
}

/// Who waits for whom, as the containers remember it: no file is needed to stop a project in its order.
pub fn dependencies(containers: &[Container]) -> Dependencies {
    let mut graph = Dependencies::new();
    for container in containers {
        graph.entry(container.service.clone()).or_default().extend(container.depends_on().into_keys());
    }
    graph
}

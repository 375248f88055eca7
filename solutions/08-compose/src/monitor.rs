//! What happens to the containers of a project, while it happens: told by the engine's events.

use crate::containers;
use crate::error::Result;
use crate::labels;
use daemon::Client;
use daemon::client::Lines;
use engine::api::{ContainerInspect, Event};
use std::collections::BTreeMap;

/// A stream of what happens.
#[derive(Debug)]
pub struct Monitor {
    events: Lines,
    services: Vec<String>,
}

/// Of what time.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Seconds since 1970 with a fraction; what has happened since then is told first.
    pub since: Option<String>,
    /// The stream ends then.
    pub until: Option<String>,
}

/// Something that happened to a container.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The container.
    pub id: String,
    pub name: String,
    pub service: String,
    /// `create`, `start`, `die`, `health_status: healthy`.
    pub action: String,
    /// Nanoseconds since 1970.
    pub at: i64,
    /// The engine's own words, labels among them.
    pub attributes: BTreeMap<String, String>,
}

impl Monitor {
    /// Begins to listen. Whoever looks for the containers after that misses nothing. No services are all.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn begin(client: &Client, project: &str, services: &[String], span: Span) -> Result<Self> {
        let of_project = vec![format!("{}={project}", labels::PROJECT)];
        let filters = BTreeMap::from([("type", vec!["container".to_owned()]), ("label", of_project)]);
        let request = client.get("/events").query_json("filters", &filters);
        let events = request.query_opt("since", span.since).query_opt("until", span.until).lines().await?;
        Ok(Self { events, services: services.to_vec() })
    }

    /// The next, of a container that is not `run`'s; None at the end. Safe to drop half-way.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn next(&mut self) -> Result<Option<Happening>> {
        while let Some(event) = self.events.next::<Event>().await? {
            let happening = Happening::new(event);
            let is_one_off = happening.attribute(labels::ONE_OFF) == "True";
            if !is_one_off && (self.services.is_empty() || self.services.contains(&happening.service)) {
                return Ok(Some(happening));
            }
        }
        Ok(None)
    }
}

impl Happening {
    fn new(event: Event) -> Self {
        let attributes = event.actor.attributes;
        let attribute = |name: &str| attributes.get(name).cloned().unwrap_or_default();
        let (name, service) = (attribute("name"), attribute(labels::SERVICE));
        let at = if event.time_nano == 0 { event.time * 1_000_000_000 } else { event.time_nano };
        Self { id: event.actor.id, name, service, action: event.action, at, attributes }
    }

    /// One of its attributes, empty if it has none of that name.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// As [`crate::containers::Container::mark`].
    pub fn mark(&self) -> &str {
        containers::mark(&self.name, |label| self.attribute(label))
    }

    /// The exit code, of a `die`.
    pub fn exit_code(&self) -> i64 {
        self.attribute("exitCode").parse().unwrap_or_default()
    }

    /// Whether the container that ended comes back by its restart policy, or is back already.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn comes_back(&self, client: &Client) -> Result<bool> {
        match client.get(format!("/containers/{}/json", self.id)).json::<ContainerInspect>().await {
            Err(error) if error.status == 404 => Ok(false),
            Err(error) => Err(error.into()),
            Ok(container) => Ok(container.state.restarting || container.state.running),
        }
    }
}

/// Nanoseconds since 1970, as the API takes a moment.
pub fn moment(at: i64) -> String {
    format!("{}.{:09}", at / 1_000_000_000, at % 1_000_000_000)
}

/// When the container began to run, in nanoseconds since 1970.
pub fn started(container: &ContainerInspect) -> Option<i64> {
    nanoseconds(&container.state.started_at)
}

/// When it ended, the last time.
pub fn finished(container: &ContainerInspect) -> Option<i64> {
    nanoseconds(&container.state.finished_at)
}

/// Of a moment that the engine tells; None for one that never was, which is the year 1.
fn nanoseconds(text: &str) -> Option<i64> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(moment.as_nanosecond()).ok().filter(|at| *at > 0)
}

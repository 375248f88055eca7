//! `ps --filter`, `--all`, `--last`: which containers of the list are shown.

use crate::container::list::{Entry, ListOptions};
use crate::container::record::no_such_container;
use crate::container::state::{NEVER, Status};
use crate::filters::{boolean, has_labels, matches, only, values};
use crate::{Engine, Error, Kind, Result, network};
use volumes::{MountPoint, Source};

const KNOWN: [&str; 14] = [
    "ancestor", "before", "exited", "id", "label", "name", "status", "health", "since", "volume", "network", "is-task",
    "publish", "expose",
];

/// The user's wishes, checked and resolved once, before the list is walked.
pub(crate) struct Selection<'a> {
    options: &'a ListOptions,
    all: bool,
    exited: Vec<i32>,
    /// Images whose containers are shown, with all images made upon them.
    ancestors: Option<Vec<String>>,
    /// Show what was created before this one.
    before: Option<String>,
    /// Show what was created after this one.
    since: Option<String>,
    published: Vec<String>,
    exposed: Vec<String>,
    tasks: Option<bool>,
}

impl<'a> Selection<'a> {
    pub(crate) fn new(engine: &Engine, entries: &[Entry], options: &'a ListOptions) -> Result<Self> {
        let filters = &options.filters;
        only(filters, &KNOWN)?;
        for status in values(filters, "status") {
            if !Status::ALL.iter().any(|known| known.as_str() == status) {
                return Err(invalid(
                    "status",
                    status,
                    &format!(
                        "invalid value for state ({status}): must be one of {}",
                        listed(&Status::ALL.map(Status::as_str))
                    ),
                ));
            }
        }
        for health in values(filters, "health") {
            let known = ["none", "starting", "healthy", "unhealthy"];
            if !known.contains(&health.as_str()) {
                let text = format!("invalid value for health ({health}): must be one of {}", listed(&known));
                return Err(invalid("health", health, &text));
            }
        }
        let code = |value: &String| {
            let reason = format!("strconv.Atoi: parsing {value:?}: invalid syntax");
            value.parse().map_err(|_| Error::new(Kind::Invalid, format!("invalid filter 'exited={value}': {reason}")))
        };
        let reference = |key| values(filters, key).last().map(|value| find(entries, value)).transpose();
        let named = values(filters, "ancestor");
        Ok(Self {
            options,
            all: options.all || options.limit.is_some() || !values(filters, "status").is_empty(),
            exited: values(filters, "exited").iter().map(code).collect::<Result<_>>()?,
            ancestors: (!named.is_empty()).then(|| engine.descendants(named)).transpose()?,
            before: reference("before")?,
            since: reference("since")?,
            published: ports("publish", values(filters, "publish"))?,
            exposed: ports("expose", values(filters, "expose"))?,
            tasks: boolean(filters, "is-task")?,
        })
    }

    /// What is shown, of a list that has the newest first.
    pub(crate) fn select(&'a self, entries: &'a [Entry]) -> impl Iterator<Item = &'a Entry> {
        let position =
            |id: &Option<String>| id.as_ref().and_then(|id| entries.iter().position(|e| e.record.id.as_str() == id));
        let first = position(&self.before).map_or(0, |at| at + 1);
        let last = position(&self.since).unwrap_or(entries.len());
        let range = entries.get(first..last).unwrap_or_default();
        range.iter().filter(|entry| self.fits(entry)).take(self.options.limit.unwrap_or(usize::MAX))
    }

    fn fits(&self, entry: &Entry) -> bool {
        let Entry { container, record, state } = entry;
        let filter = |key| values(&self.options.filters, key);
        let running = state.status.is_running();
        let ended = |code: &i32| *code == state.exit_code && !running && state.started_at != NEVER;
        let id = |prefix: &String| record.id.as_str().starts_with(prefix);
        let networks = network::networks(container, record, state);
        let health = state.health.as_ref().map(|health| health.status).unwrap_or_default();

        (self.all || running)
            && (matches(filter("name"), &record.name) || matches(filter("name"), &format!("/{}", record.name)))
            && (filter("id").is_empty() || filter("id").iter().any(id))
            && has_labels(filter("label"), &record.config.labels)
            && (self.exited.is_empty() || self.exited.iter().any(ended))
            && matches(filter("status"), state.status.as_str())
            && (filter("health").is_empty() || filter("health").iter().any(|wanted| wanted == health.as_str()))
            // None belongs to a swarm's task.
            && self.tasks != Some(true)
            && (filter("volume").is_empty() || has_mount(entry, filter("volume")))
            && self.ancestors.as_ref().is_none_or(|images| images.contains(&record.image_id))
            && (filter("network").is_empty() || filter("network").iter().any(|wanted| {
                networks.iter().any(|(name, settings)| name == wanted || settings.network_id == *wanted)
            }))
            && self.ports_fit(entry)
    }

    fn ports_fit(&self, entry: &Entry) -> bool {
        if self.published.is_empty() && self.exposed.is_empty() {
            return true;
        }
        let Entry { container, record, state } = entry;
        network::ports(container, record, state).iter().any(|(port, bindings)| {
            let published = bindings.as_ref().is_some_and(|bindings| !bindings.is_empty());
            self.exposed.contains(port) || (published && self.published.contains(port))
        })
    }
}

/// By the name of a volume, a path of the host, or the place in the container.
fn has_mount(entry: &Entry, wanted: &[String]) -> bool {
    let is = |point: &MountPoint, text: &String| {
        point.destination == *text
            || match &point.source {
                Source::Volume(volume) => volume.name == *text,
                Source::Bind(bind) => bind.path == *text,
                Source::Tmpfs(_) => false,
            }
    };
    entry.record.mount_points.iter().any(|point| wanted.iter().any(|text| is(point, text)))
}

/// The container that `before` or `since` names.
fn find(entries: &[Entry], given: &str) -> Result<String> {
    let name = given.strip_prefix('/').unwrap_or(given);
    let whole = entries.iter().find(|e| e.record.id.as_str() == given || e.record.name == name);
    let mut beginning = entries.iter().filter(|e| e.record.id.as_str().starts_with(given));
    match (whole, beginning.next(), beginning.next()) {
        (Some(entry), ..) | (None, Some(entry), None) => Ok(entry.record.id.to_string()),
        _ => Err(no_such_container(given)),
    }
}

/// `80`, `80/udp`, `8000-8005/tcp`, each port as `80/tcp`.
fn ports(key: &str, wanted: &[String]) -> Result<Vec<String>> {
    let mut ports = Vec::new();
    for value in wanted {
        if value.contains(':') {
            return Err(Error::new(Kind::Invalid, format!("filter for '{key}' should not contain ':': {value}")));
        }
        let (range, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
            let text = format!("error while looking up for {key} {value}: invalid port range");
            return Err(Error::new(Kind::Invalid, text));
        };
        ports.extend((first..=last).map(|port| format!("{port}/{protocol}")));
    }
    Ok(ports)
}

fn invalid(key: &str, value: &str, reason: &str) -> Error {
    Error::new(Kind::Invalid, format!("invalid filter '{key}={value}': {reason}"))
}

fn listed(words: &[&str]) -> String {
    words.join(", ")
}

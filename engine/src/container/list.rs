//! Which containers there are: `ps`.

use crate::api::HealthStatus;
use crate::container::list_filter::Selection;
use crate::container::record::{Container, Record};
use crate::container::state::{State, Status};
use crate::{Engine, Kind, Result, api, network, words};
use std::collections::BTreeMap;

/// `{"label": ["a=b"], …}`: Docker's filters, as every list and prune takes them.
pub type Filters = BTreeMap<String, Vec<String>>;

/// Which containers to list.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Those that do not run, too.
    pub all: bool,
    /// Only so many, newest first, running or not.
    pub limit: Option<usize>,
    /// Count the bytes of their files.
    pub size: bool,
    /// See `docker ps --filter`.
    pub filters: Filters,
}

/// A container as lists and filters look at it.
pub(crate) struct Entry {
    pub container: Container,
    pub record: Record,
    pub state: State,
}

impl Engine {
    /// The containers that fit, newest first.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a filter that does not exist, or with a value that it cannot have.
    pub fn list(&self, options: &ListOptions) -> Result<Vec<api::ContainerSummary>> {
        let entries = self.entries()?;
        let selection = Selection::new(self, &entries, options)?;
        let mut rows = Vec::new();
        for entry in selection.select(&entries) {
            rows.push(self.summary(entry, options.size)?);
        }
        Ok(rows)
    }

    /// All containers, newest first. One that is removed meanwhile is not there; one whose files cannot be read is
    /// reported to the log, and does not hide the others.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for container in self.containers()? {
            match container.record().and_then(|record| Ok((record, container.state()?))) {
                Ok((record, state))
                    if state.status == Status::Removing && self.finish_removal(&container, &record, &state) => {}
                Ok((record, state)) => entries.push(Entry { container, record, state }),
                Err(error) if error.kind == Kind::NotFound => self.clear_leftovers(&container),
                Err(error) => tracing::warn!("container {}: {error}", container.id),
            }
        }
        entries.sort_by(|a, b| b.record.created.cmp(&a.record.created));
        Ok(entries)
    }

    fn summary(&self, entry: &Entry, size: bool) -> Result<api::ContainerSummary> {
        let Entry { container, record, state } = entry;
        let (size_rw, size_root_fs) = if size { self.sizes(container, record)? } else { (None, None) };
        Ok(api::ContainerSummary {
            id: record.id.to_string(),
            names: self.all_names(container, record),
            image: self.current_image_name(record),
            image_id: record.image_id.clone(),
            command: command(record),
            created: words::seconds(&record.created),
            ports: network::port_rows(&network::ports(container, record, state)),
            size_rw,
            size_root_fs,
            labels: record.config.labels.clone(),
            state: state.status.to_string(),
            status: status(state),
            host_config: api::SummaryHostConfig { network_mode: record.host_config.network_mode.clone() },
            network_settings: api::SummaryNetworks { networks: network::networks(container, record, state) },
            mounts: self.mounts_of(record),
        })
    }

    /// The name that the user gave the image, while it still means the same image; then its ID.
    fn current_image_name(&self, record: &Record) -> String {
        match self.image_id_of(&record.config.image) {
            Some(id) if id == record.image_id => record.config.image.clone(),
            _ => record.image_id.clone(),
        }
    }
}

/// The command as one line: arguments with a blank in them are quoted.
fn command(record: &Record) -> String {
    let mut line = record.path.clone();
    for argument in &record.args {
        line.push(' ');
        line.push_str(&if argument.contains(' ') { format!("'{argument}'") } else { argument.clone() });
    }
    line
}

/// ` (healthy)`, or nothing without a check.
fn health(state: &State) -> String {
    match state.health.as_ref().map(|health| health.status) {
        None | Some(HealthStatus::None) => String::new(),
        Some(HealthStatus::Starting) => " (health: starting)".to_owned(),
        Some(status) => format!(" ({})", status.as_str()),
    }
}

/// What people read: `Up 5 seconds`, `Exited (0) 3 minutes ago`.
pub(crate) fn status(state: &State) -> String {
    let code = state.exit_code;
    match state.status {
        Status::Running => format!("Up {}{}", words::ago(&state.started_at), health(state)),
        Status::Paused => format!("Up {} (Paused)", words::ago(&state.started_at)),
        Status::Restarting => format!("Restarting ({code}) {} ago", words::ago(&state.finished_at)),
        Status::Removing => "Removal In Progress".to_owned(),
        Status::Dead => "Dead".to_owned(),
        Status::Created => "Created".to_owned(),
        Status::Exited => format!("Exited ({code}) {} ago", words::ago(&state.finished_at)),
    }
}

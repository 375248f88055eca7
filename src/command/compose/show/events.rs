//! `kesako compose events`.

use crate::command::compose::{Context, Member, fail};
use crate::flags::time;
use crate::output::say;
use ::compose::monitor::{Happening, Monitor, Span};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

/// Receive real time events from containers
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Events {
    /// Output events as a stream of json objects
    #[arg(long)]
    json: bool,
    /// Show all events created since timestamp
    #[arg(long)]
    since: Option<String>,
    /// Stream events until this timestamp
    #[arg(long)]
    until: Option<String>,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Events {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let span = Span {
            since: time::flag("since", self.since.as_deref())?,
            until: time::flag("until", self.until.as_deref())?,
        };
        let client = context.connect()?;
        let (_, project) = context.project_or_name(&self.services)?;
        let mut monitor = Monitor::begin(&client, &project, &self.services, span).await.map_err(fail)?;
        while let Some(happening) = monitor.next().await.map_err(fail)? {
            match self.json {
                true => say(object(&happening))?,
                false => say(line(&happening))?,
            }
        }
        Ok(())
    }
}

/// Its attributes, without what compose itself wrote there.
fn attributes(happening: &Happening) -> impl Iterator<Item = (&String, &String)> {
    happening.attributes.iter().filter(|(name, _)| !name.starts_with("com.docker.compose."))
}

/// `2024-01-02 15:04:05.000000 container start 0123… (image=x, name=y)`.
fn line(happening: &Happening) -> String {
    let attributes: Vec<_> = attributes(happening).map(|(name, value)| format!("{name}={value}")).collect();
    let at = at(happening, "%Y-%m-%d %H:%M:%S.%6f");
    format!("{at} container {} {} ({})", happening.action, happening.id, attributes.join(", "))
}

fn object(happening: &Happening) -> Json {
    let attributes: Map<_, _> = attributes(happening).map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "action": happening.action,
        "attributes": attributes,
        "id": happening.id,
        "service": happening.service,
        "time": at(happening, "%Y-%m-%dT%H:%M:%S%.f%:z").replace("+00:00", "Z"),
        "type": "container",
    })
}

fn at(happening: &Happening, format: &str) -> String {
    let at = Timestamp::from_nanosecond(happening.at.into()).unwrap_or_default();
    at.to_zoned(TimeZone::system()).strftime(format).to_string()
}

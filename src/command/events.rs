//! `kesako events`.

use super::Verb;
use crate::failure::Exit;
use crate::flags::{filter, time};
use crate::format::template::{Template, Value};
use crate::help;
use crate::output::say;
use crate::session::Session;
use engine::api::Event;
use serde_json::Value as Json;

/// Get real time events from the server
#[derive(Debug, clap::Args)]
pub(super) struct Events {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    #[arg(long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
    /// Show all events created since timestamp
    #[arg(long)]
    since: Option<String>,
    /// Stream events until this timestamp
    #[arg(long)]
    until: Option<String>,
}

impl Verb for Events {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let template = Template::of_object(self.format.as_deref())
            .map_err(|error| Exit::with(64, format!("Error parsing format: template parsing error: {error}")))?;
        let client = session.connect()?;
        let request = client
            .get("/events")
            .query_opt("since", self.since.as_deref().map(time::moment).transpose()?)
            .query_opt("until", self.until.as_deref().map(time::moment).transpose()?)
            .query_json("filters", &filter::collect(&self.filter));
        let mut events = request.lines().await?;
        while let Some(json) = events.next::<Json>().await? {
            match &template {
                Some(template) => say(template.execute(&whole(json))?)?,
                None => say(line(&serde_json::from_value(json)?))?,
            }
        }
        Ok(())
    }
}

/// `2024-01-02T15:04:05.000000000Z container start 0123… (image=x, name=y)`.
fn line(event: &Event) -> String {
    let at = jiff::Timestamp::from_nanosecond(event.time_nano.into()).unwrap_or_default();
    let at = at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string();
    let at = at.strip_suffix("+00:00").map(|utc| format!("{utc}Z")).unwrap_or(at);
    let attributes: Vec<_> = event.actor.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let attributes = if attributes.is_empty() { String::new() } else { format!(" ({})", attributes.join(", ")) };
    format!("{at} {} {} {}{attributes}", event.kind, event.action, event.actor.id)
}

/// Docker's templates say `.Status`, `.ID`, `.From`, `.Time`, where its JSON says `status`: both will do. `{{json .}}`
/// prints the JSON as it came.
fn whole(json: Json) -> Value {
    use crate::format::template::{Kind, Object};
    let Value::Object(object) = Value::from_json(&json) else { return Value::Nil };
    let names = [
        ("status", "Status"),
        ("id", "ID"),
        ("from", "From"),
        ("scope", "Scope"),
        ("time", "Time"),
        ("timeNano", "TimeNano"),
    ];
    let aliases =
        names.iter().filter_map(|(name, alias)| Some(((*alias).to_owned(), object.get(name)?.clone()))).collect();
    Value::Object(std::rc::Rc::new(Object {
        kind: Kind::Typed("events.Message"),
        fields: object.fields.clone(),
        aliases,
        labels: None,
    }))
}

//! What happens in the engine, as it happens: `events`.

mod log;

use crate::api::{Actor, Event};
use crate::container::id::ContainerId;
use crate::container::record::{Container, Record};
use crate::events::log::{EventLog, Reader};
use crate::filters::{has_labels, only, values};
use crate::{Engine, Error, Filters, Result};
use jiff::Timestamp;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::Write;
use std::os::unix::net::UnixStream;

const KNOWN: [&str; 14] = [
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];

/// An attribute of our own.
pub(crate) const LAST_WORDS: &str = "lastWords";

impl Engine {
    /// Past events since `since`, and those to come until `until` (seconds since 1970), as JSON lines. The stream ends
    /// at `until`; closing it stops it.
    ///
    /// # Errors
    /// [`crate::Kind::Invalid`] for a filter that does not exist.
    pub fn events(&self, since: Option<f64>, until: Option<f64>, filters: Filters) -> Result<UnixStream> {
        only(&filters, &KNOWN)?;
        let trouble = |e: std::io::Error| Error::system("follow the events", e);
        let log = EventLog::new(&self.roots.run);
        let watch = watch(&log).map_err(trouble)?;
        let reader = if since.is_some() || until.is_some() { log.reader() } else { log.reader_at_end() };
        let (ours, theirs) = UnixStream::pair().map_err(trouble)?;
        let follower = Follower { reader, watch, since, until, filters, to: ours };
        let thread = std::thread::Builder::new().name("events".into());
        thread.spawn(move || follower.run()).map_err(trouble)?;
        Ok(theirs)
    }

    /// Writes down what happened to a container. An event that cannot be written is lost: nothing that was done is
    /// undone for it.
    pub(crate) fn tell_container(&self, action: &str, container: &Container, record: &Record, extra: &[(&str, &str)]) {
        let mut attributes = record.config.labels.clone();
        attributes.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        if !record.config.image.is_empty() {
            attributes.insert("image".to_owned(), record.config.image.clone());
        }
        attributes.insert("name".to_owned(), record.name.clone());
        self.log_event(event("container", action, container.id.as_str(), attributes));
    }

    /// Writes down what happened to something else.
    pub(crate) fn tell(&self, kind: &str, action: &str, id: &str, attributes: &[(&str, &str)]) {
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.log_event(event(kind, action, id, attributes));
    }

    /// How a container ended the last time, and what its shim said if it panicked: for whoever waited for one that is
    /// removed.
    pub(crate) fn last_end(&self, id: &ContainerId) -> Option<(i32, Option<String>)> {
        let events = EventLog::new(&self.roots.run).reader().read().ok()?;
        let die = events.into_iter().rev().find(|event| event.action == "die" && event.id == id.as_str())?;
        let mut attributes = die.actor.attributes;
        Some((attributes.get("exitCode")?.parse().ok()?, attributes.remove(LAST_WORDS)))
    }

    fn log_event(&self, event: Event) {
        if let Err(error) = EventLog::new(&self.roots.run).append(&event) {
            tracing::warn!("the event {} {} is lost: {error}", event.kind, event.action);
        }
    }
}

fn event(kind: &str, action: &str, id: &str, attributes: std::collections::BTreeMap<String, String>) -> Event {
    let now = Timestamp::now();
    Event {
        status: action.to_owned(),
        id: id.to_owned(),
        from: if kind == "container" { attributes.get("image").cloned().unwrap_or_default() } else { String::new() },
        kind: kind.to_owned(),
        action: action.to_owned(),
        actor: Actor { id: id.to_owned(), attributes },
        scope: "local".to_owned(),
        time: now.as_second(),
        time_nano: now.as_nanosecond() as i64,
    }
}

fn watch(log: &EventLog) -> std::io::Result<Inotify> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    // The folder and not the file, which is replaced when it is full.
    let changes = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
    inotify.add_watch(log.path().parent().unwrap_or(log.path()), changes)?;
    Ok(inotify)
}

/// Copies events to a reader until it hangs up.
struct Follower {
    reader: Reader,
    watch: Inotify,
    since: Option<f64>,
    until: Option<f64>,
    filters: Filters,
    to: UnixStream,
}

impl Follower {
    fn run(mut self) {
        loop {
            let Ok(events) = self.reader.read() else { return };
            for event in events {
                if self.until.is_some_and(|until| seconds(&event) > until) {
                    return;
                }
                let old = self.since.is_some_and(|since| seconds(&event) < since);
                if !old && includes(&self.filters, &event) && self.send(&event).is_err() {
                    return;
                }
            }
            if !self.wait() {
                return;
            }
        }
    }

    fn send(&mut self, event: &Event) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.to.write_all(&line)
    }

    /// Waits for the log to grow. False when there is no more to wait for: the reader is gone, or it is late enough.
    fn wait(&self) -> bool {
        let left = self.until.map(|until| until - Timestamp::now().as_nanosecond() as f64 / 1e9);
        if left.is_some_and(|left| left <= 0.0) {
            return false;
        }
        let timeout = left.map(|left| Timespec { tv_sec: left as i64, tv_nsec: (left.fract() * 1e9) as i64 });
        let mut fds = [PollFd::new(&self.watch, PollFlags::IN), PollFd::new(&self.to, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => true,
            Err(_) => false,
            // Readable is hung up: nobody has anything to say on this stream.
            Ok(_) if !fds[1].revents().is_empty() => false,
            Ok(_) => {
                // What changed does not matter, only that something did.
                while self.watch.read_events().is_ok_and(|events| !events.is_empty()) {}
                true
            }
        }
    }
}

fn seconds(event: &Event) -> f64 {
    event.time_nano as f64 / 1e9
}

/// Docker's filters: exactly for types and actions; for containers by ID, by name, or by how one of them begins.
fn includes(filters: &Filters, event: &Event) -> bool {
    let Event { actor, kind, action, .. } = event;
    let attribute = |key: &str| actor.attributes.get(key).map_or("", String::as_str);
    let any = |key: &str, fits: &dyn Fn(&str) -> bool| {
        let wanted = values(filters, key);
        wanted.is_empty() || wanted.iter().any(|value| fits(value))
    };
    let named = |key: &str| any(key, &|value| actor.id.starts_with(value) || attribute("name").starts_with(value));
    let image = attribute(if kind == "image" { "name" } else { "image" });
    // `exec_create: sh` is filtered by its first word.
    let first_word = action.split_once(':').map_or(action.as_str(), |(word, _)| word);

    any("type", &|value| value == kind)
        && any("event", &|value| value == action || value == first_word)
        && any("scope", &|value| value == event.scope)
        && ["container", "network", "volume", "daemon", "plugin", "service", "node", "secret", "config"]
            .iter()
            .all(|key| named(key))
        && any("image", &|value| value == image || value == actor.id || value == without_tag(image))
        && has_labels(values(filters, "label"), &actor.attributes)
}

fn without_tag(image: &str) -> &str {
    let name_starts = image.rfind('/').map_or(0, |slash| slash + 1);
    image[name_starts..].find([':', '@']).map_or(image, |end| &image[..name_starts + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn die() -> Event {
        let attributes = [("name", "web"), ("image", "host:5000/nginx:1"), ("tier", "front")];
        event("container", "die", "abc", attributes.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect())
    }

    #[test]
    fn filters_choose_as_dockers_do() {
        let includes = |key: &str, value: &str| includes(&Filters::from([(key.into(), vec![value.into()])]), &die());
        for (key, value) in [
            ("type", "container"),
            ("event", "die"),
            ("container", "web"),
            ("container", "ab"),
            ("image", "host:5000/nginx"),
            ("image", "host:5000/nginx:1"),
            ("label", "tier=front"),
            ("label", "tier"),
            ("scope", "local"),
        ] {
            assert!(includes(key, value), "{key}={value}");
        }
        for (key, value) in
            [("type", "image"), ("event", "start"), ("container", "db"), ("image", "nginx"), ("label", "tier=back")]
        {
            assert!(!includes(key, value), "{key}={value}");
        }
    }

    #[test]
    fn events_are_written_in_dockers_form() {
        let event = Event { time: 1, time_nano: 1_000_000_001, ..die() };
        insta::assert_json_snapshot!(event, @r#"
        {
          "status": "die",
          "id": "abc",
          "from": "host:5000/nginx:1",
          "Type": "container",
          "Action": "die",
          "Actor": {
            "ID": "abc",
            "Attributes": {
              "image": "host:5000/nginx:1",
              "name": "web",
              "tier": "front"
            }
          },
          "scope": "local",
          "time": 1,
          "timeNano": 1000000001
        }
        "#);
    }
}

//! Builds until their end: one, or several at once that are shown as one.

use super::{Context, Job};
use crate::progress::Progress;
use crate::session;
use daemon::client::Request;
use daemon::client::context::{Outgoing, archive};
use engine::api::progress::Event;
use engine::api::{BuildMessage, Built, Source};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A build among others.
pub(in crate::command) struct Target {
    /// What it is called. Among others, its steps and its error are marked with it.
    pub(in crate::command) name: String,
    /// The targets that must be there first.
    pub(in crate::command) after: Vec<String>,
    pub(in crate::command) job: Job,
}

/// Why there is no image.
#[derive(Debug)]
pub(in crate::command) enum End {
    Interrupted,
    Failed {
        target: String,
        why: String,
        /// Of the Dockerfile, as they are shown.
        lines: Option<String>,
    },
}

impl Target {
    pub(super) fn only(job: Job) -> Self {
        Self { name: String::new(), after: Vec::new(), job }
    }
}

/// Builds them all, and shows what happens. The first Ctrl-C cancels what goes on, and its end is awaited; a second ends us at
/// once. Where one fails, the others are cancelled. Returns the images' IDs by target; a check makes none.
pub(in crate::command) async fn follow(
    targets: Vec<Target>,
    progress: &mut Progress,
) -> Result<BTreeMap<String, String>, End> {
    let mut interrupts = Interrupts::new().map_err(|error| failed("", session::message(&error)))?;
    let (sender, heard) = unbounded_channel();
    let mut several = Several::new(targets, sender, heard);
    several.start();
    while several.goes_on() {
        let (place, message) = tokio::select! {
            Some(heard) = several.heard.recv() => heard,
            () = interrupts.next() => {
                if interrupts.count > 1 {
                    return Err(End::Interrupted);
                }
                several.fail(End::Interrupted).await;
                continue;
            }
            () = progress.due() => {
                progress.tick().await.map_err(|error| failed("", session::message(&error)))?;
                continue;
            }
        };
        match message {
            Ok(Some(BuildMessage { event: Some(event), .. })) => {
                if let Some(event) = several.told(place, event) {
                    progress.tell(&event).await.map_err(|error| failed("", session::message(&error)))?;
                }
            }
            Ok(Some(BuildMessage { built: Some(built), .. })) => several.built(place, built),
            Ok(Some(BuildMessage { error: Some(error), .. })) => several.failed(place, error).await,
            Ok(Some(_)) => {}
            Ok(None) => several.failed(place, "the daemon ended before the build did".to_owned()).await,
            Err(why) => several.failed(place, why).await,
        }
    }
    several.end.map_or(Ok(several.images), Err)
}

fn failed(target: &str, why: String) -> End {
    End::Failed { target: target.to_owned(), why, lines: None }
}

/// What a build says: a message, its end, or why it cannot be heard.
type Heard = (usize, Result<Option<BuildMessage>, String>);

/// Builds that go on at once.
struct Several {
    builds: Vec<One>,
    sender: UnboundedSender<Heard>,
    heard: UnboundedReceiver<Heard>,
    /// By target.
    images: BTreeMap<String, String>,
    /// The first reason why there is no result.
    end: Option<End>,
}

/// One of them.
struct One {
    name: String,
    after: Vec<String>,
    /// By which it can be cancelled.
    id: String,
    client: std::rc::Rc<daemon::Client>,
    /// None once it has begun.
    waiting: Option<Job>,
    over: bool,
    dockerfile: Option<Source>,
    /// The lines that the error is about.
    fault: Option<(usize, usize)>,
}

impl Several {
    fn new(targets: Vec<Target>, sender: UnboundedSender<Heard>, heard: UnboundedReceiver<Heard>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let one = |(place, target): (usize, Target)| One {
            name: target.name,
            after: target.after,
            id: format!("{}-{now}-{place}", std::process::id()),
            client: target.job.client.clone(),
            waiting: Some(target.job),
            over: false,
            dockerfile: None,
            fault: None,
        };
        let builds = targets.into_iter().enumerate().map(one).collect();
        Self { builds, sender, heard, images: BTreeMap::new(), end: None }
    }

    /// Begins those whose turn it is.
    fn start(&mut self) {
        let images = &self.images;
        for (place, build) in self.builds.iter_mut().enumerate() {
            if build.after.iter().all(|name| images.contains_key(name))
                && let Some(job) = build.waiting.take()
            {
                tokio::task::spawn_local(listen(place, job, build.id.clone(), self.sender.clone()));
            }
        }
    }

    fn goes_on(&self) -> bool {
        self.builds.iter().any(|build| build.waiting.is_none() && !build.over)
    }

    /// The event as it is shown: among several, each step has a number and a mark of its own.
    fn told(&mut self, place: usize, event: Event) -> Option<Event> {
        let count = self.builds.len();
        let build = &mut self.builds[place];
        match &event {
            Event::Dockerfile { file, text } => {
                build.dockerfile = Some(Source { name: file.clone(), text: text.clone() });
                // Lines of one are none of the other's.
                return (count == 1).then_some(event);
            }
            Event::Fault { first, last } => {
                build.fault = Some((*first, *last));
                return None;
            }
            _ => {}
        }
        Some(if count == 1 { event } else { marked(event, &build.name, |id| id * count + place) })
    }

    fn built(&mut self, place: usize, built: Built) {
        let build = &mut self.builds[place];
        build.over = true;
        self.images.insert(build.name.clone(), built.id);
        if self.end.is_none() {
            self.start();
        }
    }

    async fn failed(&mut self, place: usize, why: String) {
        let is_alone = self.builds.len() == 1;
        let build = &mut self.builds[place];
        if std::mem::replace(&mut build.over, true) {
            return;
        }
        let lines = |(first, last): (usize, usize)| Some(build.dockerfile.as_ref()?.excerpt(&(first..=last)));
        let target = if is_alone { String::new() } else { build.name.clone() };
        let lines = build.fault.and_then(lines);
        self.fail(End::Failed { target, why, lines }).await;
    }

    /// There is nothing to be had any more: what goes on is cancelled.
    async fn fail(&mut self, end: End) {
        if self.end.is_some() {
            return;
        }
        self.end = Some(end);
        for build in self.builds.iter_mut().filter(|build| !build.over && build.waiting.is_none()) {
            // One that cannot be reached ends by itself: we are about to hear so.
            let _ = build.client.post("/build/cancel").query("id", &build.id).send().await;
        }
    }
}

/// Asks for a build, and passes on what it says.
async fn listen(place: usize, mut job: Job, id: String, sender: UnboundedSender<Heard>) {
    // Who does not listen any more needs not to be told.
    let say = |what| _ = sender.send((place, what));
    let client = job.client.clone();
    let opened = match request(&client, &mut job, &id) {
        Ok(request) => request.lines().await,
        Err(error) => return say(Err(session::message(&error))),
    };
    let mut lines = match opened {
        Ok(lines) => lines,
        Err(error) => return say(Err(own_words(error))),
    };
    loop {
        match lines.next::<BuildMessage>().await {
            Ok(Some(message)) => say(Ok(Some(message))),
            Ok(None) => return say(Ok(None)),
            Err(error) => return say(Err(own_words(error))),
        }
    }
}

/// What the server says of the build is the build's own error.
fn own_words(error: daemon::Error) -> String {
    if error.status == 0 { session::message(&error.into()) } else { error.message }
}

fn request<'a>(client: &'a daemon::Client, job: &mut Job, id: &str) -> anyhow::Result<Request<'a>> {
    let body = body(job);
    let document = serde_json::to_vec(&job.options)?;
    let request = client.post("/build").query("kesako", document.len()).query("buildid", id);
    Ok(request.body_stream(Cursor::new(document).chain(body)))
}

/// The context as it travels: in this process a folder needs not to.
fn body(job: &mut Job) -> Box<dyn AsyncRead + Send + Unpin> {
    let nothing = || Box::new(tokio::io::empty());
    match std::mem::replace(&mut job.context, Context::Nothing) {
        Context::Nothing => nothing(),
        Context::Archive(archive) => archive,
        Context::Url(url) => {
            job.options.context_url = Some(url);
            nothing()
        }
        Context::Folder(folder) if job.client.host().is_none() => {
            job.options.context_folder = Some(folder);
            job.options.ignore_text = job.ignore.take();
            nothing()
        }
        Context::Folder(folder) => {
            let dockerfile = job.options.dockerfile.clone();
            job.options.ignore_text.clone_from(&job.ignore);
            let ignore = job.ignore.take();
            Box::new(archive(Outgoing { folder: Some(folder), dockerfile, ignore, ..Outgoing::default() }))
        }
    }
}

/// The event with another number, and the name of a step with a mark: `[web 1/2] FROM box`.
fn marked(mut event: Event, mark: &str, number: impl Fn(usize) -> usize) -> Event {
    match &mut event {
        Event::Step { id, name } => {
            *id = number(*id);
            *name = match name.strip_prefix('[') {
                Some(rest) => format!("[{mark} {rest}"),
                None => format!("[{mark}] {name}"),
            };
        }
        Event::Reached { id: Some(id), .. }
        | Event::Cached { id }
        | Event::Begun { id }
        | Event::Output { id, .. }
        | Event::Status { id, .. }
        | Event::Done { id, .. }
        | Event::Exited { id, .. }
        | Event::Failed { id, .. }
        | Event::Reason { id, .. } => *id = number(*id),
        Event::Dockerfile { .. }
        | Event::Plan { .. }
        | Event::Triggers { .. }
        | Event::Reached { id: None, .. }
        | Event::Made { .. }
        | Event::Fault { .. }
        | Event::Kept { .. }
        | Event::Warning { .. } => {}
    }
    event
}

/// The signals by which a user ends a command.
struct Interrupts {
    int: tokio::signal::unix::Signal,
    term: tokio::signal::unix::Signal,
    count: u32,
}

impl Interrupts {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { int: signal(SignalKind::interrupt())?, term: signal(SignalKind::terminate())?, count: 0 })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
        self.count += 1;
    }
}

//! A build by Kesako, in this process or behind a socket.

use super::{Context, Job, result, shell};
use crate::failure::Exit;
use crate::output::{put, say, warn};
use crate::progress::{Mode, Progress};
use crate::session;
use daemon::Client;
use daemon::client::context::{Outgoing, archive};
use daemon::client::{Lines, Request};
use engine::api::{BuildMessage, Built};
use std::io::Cursor;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::signal::unix::{SignalKind, signal};

/// The code of a process that SIGINT ended.
const INTERRUPTED: i32 = 128 + 2;

pub(super) async fn build(mut job: Job) -> anyhow::Result<()> {
    job.flags.rare.refuse()?;
    if !job.flags.rm {
        anyhow::bail!("--rm=false: not supported: there are no intermediate containers that could be kept");
    }
    let mode = match job.flags.progress.as_str() {
        _ if job.flags.quiet => Mode::Quiet,
        // What is told between two pictures would be drawn over.
        "auto" if job.globals.explain => Mode::Plain,
        progress => Mode::choose(progress)?,
    };
    let body = body(&mut job)?;
    let document = serde_json::to_vec(&job.options)?;
    // So that it can be cancelled by name.
    let id = format!("{}-{}", std::process::id(), SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    let request = job.client.post("/build").query("kesako", document.len()).query("buildid", &id);
    let request = request.body_stream(Cursor::new(document).chain(body));

    let mut progress = Progress::new(mode);
    let ended = follow(&job.client, request, &id, &mut progress).await;
    progress.end(job.globals.debug).await?;
    match ended {
        Ok(built) if job.options.check => check(&progress, &built),
        Ok(built) => {
            result::write(&job.flags, &built.id)?;
            match mode {
                Mode::Quiet if !built.id.is_empty() => say(built.id),
                _ => Ok(()),
            }
        }
        Err(end) => {
            if let Some(image) = progress.kept() {
                shell::open(&job.client, image).await?;
            }
            put_fault(&progress);
            Err(match end {
                End::Interrupted => Exit::with(INTERRUPTED, "ERROR: failed to solve: Canceled: context canceled"),
                End::Failed(why) => Exit::with(1, format!("ERROR: failed to solve: {why}")),
            })
        }
    }
}

/// Why there is no image.
enum End {
    Interrupted,
    Failed(String),
}

impl From<daemon::Error> for End {
    fn from(error: daemon::Error) -> Self {
        // What the server says of the build is the build's own error.
        Self::Failed(if error.status == 0 { session::message(&error.into()) } else { error.message })
    }
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(session::message(&error))
    }
}

/// Shows what happens until the end. The first Ctrl-C cancels the build, and its end is awaited; a second ends us at once.
async fn follow(client: &Client, request: Request<'_>, id: &str, progress: &mut Progress) -> Result<Built, End> {
    let mut interrupts = Interrupts::new()?;
    let mut lines: Option<Lines> = None;
    let mut answer = std::pin::pin!(request.lines());
    loop {
        let message = tokio::select! {
            opened = &mut answer, if lines.is_none() => {
                match opened {
                    Ok(opened) => lines = Some(opened),
                    Err(_) if interrupts.count > 0 => return Err(End::Interrupted),
                    Err(error) => return Err(error.into()),
                }
                continue;
            }
            message = next(&mut lines), if lines.is_some() => message,
            () = interrupts.next() => {
                if interrupts.count > 1 {
                    return Err(End::Interrupted);
                }
                client.post("/build/cancel").query("id", id).send().await?;
                continue;
            }
            () = progress.due() => {
                progress.tick().await?;
                continue;
            }
        };
        match message {
            Ok(Some(BuildMessage { event: Some(event), .. })) => progress.tell(&event).await?,
            Ok(Some(BuildMessage { built: Some(built), .. })) => return Ok(built),
            _ if interrupts.count > 0 => return Err(End::Interrupted),
            Ok(Some(BuildMessage { error: Some(error), .. })) => return Err(End::Failed(error)),
            Ok(Some(_)) => {}
            Ok(None) => return Err(End::Failed("the daemon ended before the build did".to_owned())),
            Err(error) => return Err(error.into()),
        }
    }
}

async fn next(lines: &mut Option<Lines>) -> daemon::client::Result<Option<BuildMessage>> {
    match lines {
        Some(lines) => lines.next().await,
        None => std::future::pending().await,
    }
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

/// The context as it travels: in this process a folder needs not to.
fn body(job: &mut Job) -> anyhow::Result<Box<dyn AsyncRead + Send + Unpin>> {
    let nothing = || Box::new(tokio::io::empty());
    match std::mem::replace(&mut job.context, Context::Nothing) {
        Context::Nothing => Ok(nothing()),
        Context::Archive(archive) => Ok(archive),
        Context::Url(url) => {
            job.options.context_url = Some(url);
            Ok(nothing())
        }
        Context::Folder(folder) if job.client.host().is_none() => {
            job.options.context_folder = Some(folder);
            job.options.ignore_text = job.ignore.take();
            Ok(nothing())
        }
        Context::Folder(folder) => {
            let dockerfile = job.options.dockerfile.clone();
            job.options.ignore_text.clone_from(&job.ignore);
            let ignore = job.ignore.take();
            Ok(Box::new(archive(Outgoing { folder: Some(folder), dockerfile, ignore, ..Outgoing::default() })))
        }
    }
}

/// The lines of the Dockerfile that the error is about.
fn put_fault(progress: &Progress) {
    if let Some(lines) = progress.fault() {
        warn(lines.trim_end());
    }
}

/// What `--check` found.
fn check(progress: &Progress, _: &Built) -> anyhow::Result<()> {
    let (count, text) = progress.report();
    match count {
        0 => return say("Check complete, no warnings found."),
        1 => say("Check complete, 1 warning has been found!")?,
        n => say(format!("Check complete, {n} warnings have been found!"))?,
    }
    put(text)?;
    Err(Exit::with(1, ""))
}

//! What a build tells while it goes on, as a person reads it: line by line, or live on a terminal. The looks are
//! BuildKit's, which everybody knows.
//!
//! ```text
//!   events ── Trace: what has happened so far ── a Display: what of it is shown, and when ── standard error
//! ```

mod plain;
mod quiet;
mod raw_json;
mod trace;
mod tty;
mod warnings;

use crate::terminal::{Writer, size_of};
use engine::api::progress::Event;
use std::time::{Duration, Instant};
use trace::Trace;

/// How often a display may show that time goes by, as BuildKit's does.
const TICK: Duration = Duration::from_millis(100);

/// `--progress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Plain,
    Tty,
    Quiet,
    RawJson,
}

impl Mode {
    /// Reads the flag, or `BUILDKIT_PROGRESS` where it leaves the choice to us.
    pub fn choose(flag: &str) -> anyhow::Result<Self> {
        let variable = std::env::var("BUILDKIT_PROGRESS").unwrap_or_default();
        match if flag == "auto" { variable.as_str() } else { flag } {
            "" | "auto" if is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb") => Ok(Self::Tty),
            "" | "auto" | "plain" => Ok(Self::Plain),
            "tty" if is_terminal() => Ok(Self::Tty),
            "tty" => anyhow::bail!("failed to get console: standard error is not a terminal"),
            "quiet" | "none" => Ok(Self::Quiet),
            "rawjson" => Ok(Self::RawJson),
            other => anyhow::bail!("invalid progress mode {other}"),
        }
    }
}

fn is_terminal() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
}

/// Shows what has happened, each time adding to `out` what is to be written.
trait Display {
    /// This event has just entered the trace.
    fn told(&mut self, trace: &Trace, event: &Event, now: Instant, out: &mut String);
    /// Time has gone by.
    fn tick(&mut self, trace: &Trace, now: Instant, out: &mut String);
    /// There is nothing more to come.
    fn end(&mut self, trace: &Trace, now: Instant, out: &mut String);
}

/// A build's display, on standard error.
pub struct Progress {
    trace: Trace,
    display: Box<dyn Display>,
    mode: Mode,
    writer: Writer,
    last_tick: Instant,
}

impl Progress {
    pub fn new(mode: Mode) -> Self {
        let now = Instant::now();
        let display: Box<dyn Display> = match mode {
            Mode::Plain => Box::<plain::Plain>::default(),
            Mode::Tty => Box::new(tty::Tty::new(|| size_of(&std::io::stderr()))),
            Mode::Quiet => Box::new(quiet::Quiet),
            Mode::RawJson => Box::<raw_json::RawJson>::default(),
        };
        // What has scrolled through a live display is gone, and shown again where a step fails.
        let kept = if mode == Mode::Tty { 1000 } else { 10 };
        Self { trace: Trace::new(now, kept), display, mode, writer: Writer::stderr(), last_tick: now }
    }

    /// Shows this, soon.
    pub async fn tell(&mut self, event: &Event) -> anyhow::Result<()> {
        let (now, mut out) = (Instant::now(), String::new());
        self.trace.told(event, now);
        self.display.told(&self.trace, event, now, &mut out);
        if now.duration_since(self.last_tick) >= TICK {
            self.last_tick = now;
            self.display.tick(&self.trace, now, &mut out);
        }
        self.writer.write(out.as_bytes()).await
    }

    /// Comes back when it is time for the next [`tick`](Self::tick).
    pub async fn due(&self) {
        tokio::time::sleep_until((self.last_tick + TICK).into()).await;
    }

    /// Shows that time goes by.
    pub async fn tick(&mut self) -> anyhow::Result<()> {
        let (now, mut out) = (Instant::now(), String::new());
        self.last_tick = now;
        self.display.tick(&self.trace, now, &mut out);
        self.writer.write(out.as_bytes()).await
    }

    /// Shows the end: steps that were cut off, what a failed one wrote last, and the warnings. `debug` tells all of them.
    pub async fn end(&mut self, debug: bool) -> anyhow::Result<()> {
        let (now, mut out) = (Instant::now(), String::new());
        self.trace.end(now);
        self.display.end(&self.trace, now, &mut out);
        if matches!(self.mode, Mode::Plain | Mode::Tty) {
            self.trace.failures(&mut out);
            warnings::block(&self.trace, debug, &mut out);
        }
        self.writer.write(out.as_bytes()).await
    }

    /// All warnings in full, as `--check` tells them, and how many there are.
    pub fn report(&self) -> (usize, String) {
        (self.trace.warnings.len(), warnings::report(&self.trace))
    }

    /// The image that was kept when a command failed.
    pub fn kept(&self) -> Option<&str> {
        self.trace.kept.as_deref()
    }
}

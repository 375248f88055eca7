//! How much has been copied: on a terminal while it goes on, and in a line at the end.

use crate::format::units;
use crate::output::warn;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::io::{self, IsTerminal as _, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, ReadBuf};

/// How often it is shown anew.
const EVERY: Duration = Duration::from_millis(75);

/// `--quiet`: who says nothing of it gets no progress where there is no terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quiet(pub bool);

impl Args for Quiet {
    fn augment_args(command: Command) -> Command {
        let about = "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached";
        command.arg(Arg::new("quiet").short('q').long("quiet").action(ArgAction::SetTrue).help(about))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Quiet {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(match matches.value_source("quiet") {
            Some(ValueSource::CommandLine) => matches.get_flag("quiet"),
            _ => !io::stdout().is_terminal(),
        }))
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(super) struct Progress {
    header: &'static str,
    quiet: bool,
    copied: Arc<AtomicU64>,
}

impl Progress {
    pub(super) fn new(header: &'static str, quiet: bool) -> Self {
        Self { header, quiet, copied: Arc::default() }
    }

    /// Counts what passes by.
    pub(super) fn watch(&self, bytes: Pin<Box<dyn AsyncRead + Send>>) -> Watched {
        let shown = (!self.quiet && io::stderr().is_terminal()).then(|| (self.header, Instant::now()));
        Watched { bytes, copied: self.copied.clone(), shown }
    }

    /// Tells that it is done.
    pub(super) fn done(&self, to: &str) {
        if !self.quiet {
            let copied = i64::try_from(self.copied.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
            warn(format_args!("Successfully copied {} to {to}", units::size(copied, 3)));
        }
    }
}

/// Bytes that are counted on their way.
pub(super) struct Watched {
    bytes: Pin<Box<dyn AsyncRead + Send>>,
    copied: Arc<AtomicU64>,
    /// What is shown before the number, and when it last was.
    shown: Option<(&'static str, Instant)>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        let polled = self.bytes.as_mut().poll_read(cx, to);
        let count = (to.filled().len() - before) as u64;
        let copied = self.copied.fetch_add(count, Ordering::Relaxed) + count;
        if let Some((header, last)) = &mut self.shown
            && last.elapsed() >= EVERY
        {
            *last = Instant::now();
            let copied = units::size(i64::try_from(copied).unwrap_or(i64::MAX), 3);
            // To the beginning of the line, and what was there goes (console_codes(4)). Nobody misses it.
            let _ = write!(io::stderr(), "\r\x1b[2K{header}{copied}");
        }
        polled
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.shown.is_some() {
            // As above.
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

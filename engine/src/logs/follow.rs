//! Copying a log to whoever reads it, and going on while it grows.

use super::files;
use super::select::{Selection, Verdict};
use crate::container::notice::Notice;
use crate::container::record::Container;
use crate::shim::{self, Request};
use crate::{Error, Kind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

pub(super) struct Reader {
    pub container: Container,
    pub to: UnixStream,
    pub selection: Selection,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    More,
    Over,
}

/// What has come while we waited.
enum Come {
    Output,
    Rotation(usize),
    /// The container has ended, or the time has come, or nobody reads any more: what there is is all.
    End,
}

impl Reader {
    pub(super) fn copy(&mut self, tail: Option<usize>, follow: bool) -> Result<()> {
        let trouble = |e: io::Error| Error::system("read the log", e);
        // Both before the first look, so that nothing is missed.
        let notice = Notice::of(&self.container).map_err(trouble)?;
        let shim = match follow.then(|| shim::open(&self.container, Request::Follow)) {
            None => None,
            // It does not run.
            Some(Err(error)) if error.kind == Kind::Conflict => None,
            Some(shim) => shim?,
        };
        let mut files = files::open_all(&self.container.log_path()).map_err(trouble)?;
        if let Some(lines) = tail {
            files::keep_tail(&mut files, lines).map_err(trouble)?;
        }
        let mut log = Log { next: files.into(), ..Log::default() };
        if self.copy_lines(&mut log).map_err(trouble)? == Next::Over {
            return Ok(());
        }
        match shim {
            Some(shim) => self.follow(log, &notice, &shim).map_err(trouble),
            None => Ok(()),
        }
    }

    fn follow(&mut self, mut log: Log, notice: &Notice, mut shim: &UnixStream) -> io::Result<()> {
        loop {
            let come = self.wait(notice, shim)?;
            let path = self.container.log_path();
            log.next.extend(files::newer(log.newest(), &path)?);
            if let Come::Rotation(times) = come {
                // The shim waits for this, so before anything that takes time.
                shim.write_all(&vec![b'r'; times])?;
            }
            if self.copy_lines(&mut log)? == Next::Over || matches!(come, Come::End) {
                return Ok(());
            }
        }
    }

    /// Blocks until there may be more.
    fn wait(&self, notice: &Notice, mut shim: &UnixStream) -> io::Result<Come> {
        let timeout = self.selection.until().map(|until| {
            let left = until.duration_since(jiff::Timestamp::now());
            Timespec { tv_sec: left.as_secs().max(0), tv_nsec: i64::from(left.subsec_nanos().max(0)) }
        });
        let mut fds = [
            PollFd::new(notice, PollFlags::IN),
            PollFd::new(shim, PollFlags::IN),
            PollFd::new(&self.to, PollFlags::empty()),
        ];
        let count = match poll(&mut fds, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(Come::Output),
            other => other?,
        };
        let [changed, spoken, left] = fds.each_ref().map(|fd| !fd.revents().is_empty());
        if changed {
            notice.clear()?;
        }
        if spoken {
            let mut words = [0; 64];
            return match shim.read(&mut words) {
                Ok(0) | Err(_) => Ok(Come::End),
                Ok(times) => Ok(Come::Rotation(times)),
            };
        }
        Ok(if left || count == 0 { Come::End } else { Come::Output })
    }

    /// Copies what there is, to the end of the newest file.
    fn copy_lines(&mut self, log: &mut Log) -> io::Result<Next> {
        let mut out = Vec::new();
        let mut next = Next::More;
        while next == Next::More && log.read_line()? {
            match self.selection.judge(&log.line) {
                Verdict::Send(bytes) => out.extend(bytes),
                Verdict::Skip => {}
                Verdict::Stop => next = Next::Over,
            }
            log.line.clear();
            if out.len() >= 64 * 1024 {
                self.to.write_all(&out)?;
                out.clear();
            }
        }
        self.to.write_all(&out)?;
        Ok(next)
    }
}

/// The file that is being read, those to be read after it, and the line that has been read so far.
#[derive(Default)]
struct Log {
    file: Option<BufReader<File>>,
    next: VecDeque<File>,
    line: Vec<u8>,
}

impl Log {
    fn newest(&self) -> Option<&File> {
        self.next.back().or_else(|| self.file.as_ref().map(BufReader::get_ref))
    }

    /// Whether there is a whole line. A part of one, at the end of the newest file, stays for the next time.
    fn read_line(&mut self) -> io::Result<bool> {
        loop {
            if let Some(file) = &mut self.file {
                file.read_until(b'\n', &mut self.line)?;
                if self.line.ends_with(b"\n") {
                    return Ok(true);
                }
            }
            // A file that has a successor grows no more, and its last line is whole.
            match self.next.pop_front() {
                Some(file) => self.file = Some(BufReader::with_capacity(32 * 1024, file)),
                None => return Ok(false),
            }
        }
    }
}

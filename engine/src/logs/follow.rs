//! Copying a log to whoever reads it, and going on while it grows.

use super::files;
use super::select::{Selection, Verdict};
use crate::notice::Notice;
use crate::record::Container;
use crate::shim::{self, Request};
use crate::{Error, Result, WaitCondition};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
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

impl Reader {
    pub(super) fn copy(&mut self, tail: Option<usize>, follow: bool) -> Result<()> {
        let trouble = |e: std::io::Error| Error::system("read the log", e);
        // Both before the first look, so that nothing is missed.
        let notice = Notice::of(&self.container).map_err(trouble)?;
        let shim = if follow { shim::ask(&self.container, Request::Wait(WaitCondition::NextExit))? } else { None };
        let mut files = files::open_all(&self.container.log_path()).map_err(trouble)?;
        if let Some(lines) = tail {
            files::keep_tail(&mut files, lines).map_err(trouble)?;
        }
        let mut log = Log::default();
        for file in files {
            log.open(file);
            if self.copy_lines(&mut log).map_err(trouble)? == Next::Over {
                return Ok(());
            }
        }
        match shim {
            Some(shim) => self.follow(log, &notice, &shim).map_err(trouble),
            None => Ok(()),
        }
    }

    fn follow(&mut self, mut log: Log, notice: &Notice, shim: &UnixStream) -> std::io::Result<()> {
        loop {
            let ended = self.wait(notice, shim)?;
            loop {
                if self.copy_lines(&mut log)? == Next::Over {
                    return Ok(());
                }
                // Rotated: the rest of the old file first (just done), then the new one.
                let path = self.container.log_path();
                if log.file.as_ref().is_some_and(|file| files::is_current(file.get_ref(), &path)) {
                    break;
                }
                let Ok(new) = File::open(&path) else { break };
                // What was written between our last look and the rotation.
                if self.copy_lines(&mut log)? == Next::Over {
                    return Ok(());
                }
                log.open(new);
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Blocks until there may be more, and says whether what there is is all: the container has ended, or the time has
    /// come, or nobody reads.
    fn wait(&self, notice: &Notice, shim: &UnixStream) -> std::io::Result<bool> {
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
            Err(rustix::io::Errno::INTR) => return Ok(false),
            other => other?,
        };
        let [changed, ended, left] = fds.each_ref().map(|fd| !fd.revents().is_empty());
        if changed {
            notice.clear()?;
        }
        Ok(ended || left || count == 0)
    }

    fn copy_lines(&mut self, log: &mut Log) -> std::io::Result<Next> {
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

/// The file that is being read, and the line that has been read of it.
#[derive(Default)]
struct Log {
    file: Option<BufReader<File>>,
    line: Vec<u8>,
}

impl Log {
    fn open(&mut self, file: File) {
        self.line.clear();
        self.file = Some(BufReader::with_capacity(32 * 1024, file));
    }

    /// Whether there is a whole line. A part of one stays for the next time.
    fn read_line(&mut self) -> std::io::Result<bool> {
        let Some(file) = &mut self.file else { return Ok(false) };
        file.read_until(b'\n', &mut self.line)?;
        Ok(self.line.ends_with(b"\n"))
    }
}

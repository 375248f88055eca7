//! The log of events: `<run>/events.log`, one JSON object a line, in the very form of the Engine API.
//!
//! There is no daemon to ask, so whoever does something writes it down here, and whoever follows is woken by
//! inotify(7). The file is bounded: a writer that finds it full moves it to `events.log.1`, over the one before.
//! Writers hold a shared lock, and the mover an exclusive one, so nobody writes a line into a file that was moved away
//! under their hands.

use crate::api::Event;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// When a log is full. Docker keeps the last 256 events; this is some thousands.
const FULL: u64 = 1 << 20;

/// Where the events are.
#[derive(Clone, Debug)]
pub(crate) struct EventLog {
    path: PathBuf,
}

impl EventLog {
    pub(crate) fn new(run: &Path) -> Self {
        Self { path: run.join("events.log") }
    }

    /// The folder that changes when an event is written.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn previous(&self) -> PathBuf {
        self.path.with_extension("log.1")
    }

    /// Writes an event down.
    pub(crate) fn append(&self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        loop {
            let mut file = File::options().append(true).create(true).mode(0o600).open(&self.path)?;
            file.lock_shared()?;
            let metadata = file.metadata()?;
            if metadata.nlink() == 0 || !self.is_current(&metadata) {
                continue;
            }
            if metadata.len() < FULL {
                // One write(2) to a file opened with O_APPEND: lines of different writers do not mix.
                return file.write_all(&line);
            }
            file.unlock()?;
            self.rotate(&file)?;
        }
    }

    fn is_current(&self, opened: &fs::Metadata) -> bool {
        fs::metadata(&self.path).is_ok_and(|named| named.ino() == opened.ino() && named.dev() == opened.dev())
    }

    fn rotate(&self, full: &File) -> io::Result<()> {
        full.lock()?;
        if self.is_current(&full.metadata()?) {
            fs::rename(&self.path, self.previous())?;
        }
        Ok(())
    }

    /// A reader at the oldest event that is kept.
    pub(crate) fn reader(&self) -> Reader {
        let open = |path: &Path| File::open(path).ok();
        let files = [open(&self.previous()), open(&self.path)];
        Reader { log: self.clone(), files: files.into_iter().flatten().collect(), offset: 0, pending: Vec::new() }
    }

    /// A reader at the end: of what is still to come.
    pub(crate) fn reader_at_end(&self) -> Reader {
        let file = File::open(&self.path).ok();
        let offset = file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |metadata| metadata.len());
        Reader { log: self.clone(), files: file.into_iter().collect(), offset, pending: Vec::new() }
    }
}

/// Reads the log forward, across rotations.
pub(crate) struct Reader {
    log: EventLog,
    /// What is still to be read, oldest first. The last one is still written to.
    files: Vec<File>,
    offset: u64,
    /// The beginning of a line whose end has not been read yet.
    pending: Vec<u8>,
}

impl Reader {
    /// The events written since the last call. A line that is none (a crash tore it) is skipped.
    pub(crate) fn read(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        loop {
            let Some(file) = self.files.first() else {
                match File::open(&self.log.path) {
                    Ok(file) => self.files.push(file),
                    Err(e) if e.kind() == ErrorKind::NotFound => return Ok(events),
                    Err(e) => return Err(e),
                }
                continue;
            };
            let mut buffer = [0; 8192];
            let count = file.read_at(&mut buffer, self.offset)?;
            if count > 0 {
                self.offset += count as u64;
                self.take_lines(&buffer[..count], &mut events);
            } else if self.files.len() > 1 || !self.log.is_current(&file.metadata()?) {
                // Read to its end, and replaced: nobody writes to it any more.
                self.files.remove(0);
                self.offset = 0;
            } else {
                return Ok(events);
            }
        }
    }

    fn take_lines(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                events.extend(serde_json::from_slice::<Event>(&self.pending).ok());
                self.pending.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str) -> Event {
        Event { kind: "container".into(), action: action.into(), ..Default::default() }
    }

    fn actions(events: Vec<Event>) -> Vec<String> {
        events.into_iter().map(|event| event.action).collect()
    }

    #[test]
    fn a_reader_finds_what_was_and_what_comes_across_a_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let log = EventLog::new(folder.path());
        assert!(log.reader().read().unwrap().is_empty());
        log.append(&event("create")).unwrap();
        let mut late = log.reader_at_end();
        let mut early = log.reader();
        assert_eq!(actions(early.read().unwrap()), ["create"]);

        let filler = Event { from: "x".repeat(FULL as usize), ..event("start") };
        log.append(&filler).unwrap();
        log.append(&event("die")).unwrap();
        assert!(folder.path().join("events.log.1").exists());
        assert_eq!(actions(early.read().unwrap()), ["start", "die"]);
        assert_eq!(actions(late.read().unwrap()), ["start", "die"]);
        assert_eq!(actions(log.reader().read().unwrap()), ["create", "start", "die"]);
    }

    #[test]
    fn a_torn_line_costs_one_event() {
        let folder = tempfile::tempdir().unwrap();
        let log = EventLog::new(folder.path());
        fs::write(log.path(), "{\"Type\": \"cont\n").unwrap();
        log.append(&event("start")).unwrap();
        assert_eq!(actions(log.reader().read().unwrap()), ["start"]);
    }
}

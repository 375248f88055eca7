//! Docker's `json-file` log: one JSON object for each line of output, with the stream and the time.
//!
//! `{"log":"hello\n","stream":"stdout","time":"2026-11-21T20:44:00.123456789Z"}`
//!
//! The file is written as the output comes, many lines by one write(2), and never synced: what a container prints is
//! not worth a disk's patience. It is bounded: at `max-size` it becomes `log.json.1`, and the oldest of `max-file`
//! files goes.
//!
//! What the disk has no room for is lost, and the container goes on, as with Docker. Unlike there, the log says so: as soon
//! as there is room again, by a line of its own in the place of those that are missing.

use super::followers::Followers;
use crate::{Error, Result, api};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Which of its two outputs a process wrote to, numbered as in Docker's wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout = 1,
    Stderr = 2,
}

/// Docker splits a longer line into several objects, of which only the last ends with `\n`.
const LONGEST_LINE: usize = 16 * 1024;

/// How large the log may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub max_size: u64,
    pub max_file: u32,
}

impl Bounds {
    /// From `--log-opt max-size=10m --log-opt max-file=3`, which are also the defaults.
    pub(crate) fn parse(options: &BTreeMap<String, String>) -> Result<Self> {
        let invalid = |text: String| Error::new(crate::Kind::Invalid, text);
        let max_size = match options.get("max-size").map(String::as_str) {
            None => 10 << 20,
            Some("-1") => u64::MAX,
            Some(text) => {
                let size = crate::words::bytes(text).and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0);
                size.ok_or_else(|| invalid(format!("invalid size: '{text}'")))?
            }
        };
        let max_file = match options.get("max-file") {
            None => 3,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| invalid("max-file cannot be less than 1".to_owned()))?,
        };
        Ok(Self { max_size, max_file })
    }
}

/// The log of one container.
#[derive(Debug)]
pub(super) struct JsonLog {
    path: PathBuf,
    bounds: Bounds,
    /// Opened at the first output: most short-lived containers need no file at all.
    file: Option<(File, u64)>,
    /// It has been moved away, and the followers do not know yet.
    rotated: bool,
    /// The line that each stream has begun and not ended.
    begun: [Vec<u8>; 2],
    lines: Vec<u8>,
    lost: Lost,
    pub followers: Followers,
}

/// Lines that could not be written.
#[derive(Debug, Default)]
struct Lost {
    lines: usize,
    why: String,
}

impl JsonLog {
    /// The log at `path`, or none if the driver is `none`.
    pub(super) fn new(path: &Path, config: &api::LogConfig) -> Result<Option<Self>> {
        if config.r#type == "none" {
            return Ok(None);
        }
        let bounds = Bounds::parse(&config.config)?;
        let (begun, lines, lost, followers) = Default::default();
        Ok(Some(Self { path: path.to_owned(), bounds, file: None, rotated: false, begun, lines, lost, followers }))
    }

    /// Takes output as it comes. A line is written when it has ended, or has become too long.
    pub(super) fn take(&mut self, stream: Stream, mut data: &[u8]) {
        let time = crate::container::state::now();
        while let Some(end) = data.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = data.split_at(end + 1);
            self.line(stream, line, &time, true);
            data = rest;
        }
        self.line(stream, data, &time, false);
        self.write();
    }

    /// The stream has ended: what it has begun is its last line.
    pub(super) fn end(&mut self, stream: Stream) {
        self.line(stream, b"", &crate::container::state::now(), true);
        self.write();
    }

    /// Adds `tail` to the line that has begun, and buffers it in pieces that are short enough: all of it if it has
    /// ended, else what is too long to wait for the end.
    fn line(&mut self, stream: Stream, tail: &[u8], time: &str, ended: bool) {
        let mut begun = std::mem::take(&mut self.begun[stream as usize - 1]);
        let mut rest = tail;
        if !begun.is_empty() || !ended {
            begun.extend_from_slice(tail);
            rest = &begun;
        }
        while rest.len() > LONGEST_LINE || (ended && !rest.is_empty()) {
            let (piece, more) = rest.split_at(piece_length(rest));
            encode(&mut self.lines, stream, piece, time);
            rest = more;
            if self.lines.len() as u64 >= self.batch() {
                self.write();
            }
        }
        let left = if ended { 0 } else { rest.len() };
        begun.drain(..begun.len() - left);
        begun.shrink_to(LONGEST_LINE);
        self.begun[stream as usize - 1] = begun;
    }

    /// How much to write at once: many lines, but not past the bound of the file.
    fn batch(&self) -> u64 {
        let size = self.file.as_ref().map_or(0, |(_, size)| *size);
        self.bounds.max_size.saturating_sub(size).min(64 * 1024)
    }

    /// Writes what is buffered, after a word on what could not be written before.
    fn write(&mut self) {
        if self.lines.is_empty() && self.lost.lines == 0 {
            return;
        }
        let mut text = Vec::new();
        if self.lost.lines > 0 {
            let Lost { lines, why } = &self.lost;
            let note = format!("kesako: {lines} lines are missing here: {why}\n");
            encode(&mut text, Stream::Stderr, note.as_bytes(), &crate::container::state::now());
        }
        text.append(&mut self.lines);
        let count = text.iter().filter(|byte| **byte == b'\n').count() - usize::from(self.lost.lines > 0);
        self.lost = match self.append(&text) {
            Ok(()) => Lost::default(),
            Err(error) => Lost { lines: self.lost.lines + count, why: error.to_string() },
        };
        self.lines = text;
        self.lines.clear();
    }

    /// Appends all of it, or nothing.
    fn append(&mut self, text: &[u8]) -> std::io::Result<()> {
        if self.file.as_ref().is_some_and(|(_, size)| *size >= self.bounds.max_size) {
            self.rotate()?;
            self.rotated = true;
        }
        let (file, size) = match &mut self.file {
            Some(open) => open,
            none => none.insert(open(&self.path)?),
        };
        if std::mem::take(&mut self.rotated) {
            self.followers.rotated();
        }
        if let Err(error) = file.write_all(text) {
            // Half a line would spoil the next one, too. If that fails as well, the reader passes over both.
            let _ = file.set_len(*size);
            return Err(error);
        }
        *size += text.len() as u64;
        Ok(())
    }

    /// `log.json.1` becomes `log.json.2`, and so on; the oldest is overwritten. A reader that has a file open keeps it.
    fn rotate(&mut self) -> std::io::Result<()> {
        self.file = None;
        let numbered = |n: u32| PathBuf::from(format!("{}.{n}", self.path.display()));
        for n in (1..self.bounds.max_file.saturating_sub(1)).rev() {
            ignore_missing(fs::rename(numbered(n), numbered(n + 1)))?;
        }
        match self.bounds.max_file {
            1 => ignore_missing(fs::remove_file(&self.path)),
            _ => ignore_missing(fs::rename(&self.path, numbered(1))),
        }
    }
}

fn open(path: &Path) -> std::io::Result<(File, u64)> {
    let file = File::options().append(true).create(true).mode(0o600).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn ignore_missing(result: std::io::Result<()>) -> std::io::Result<()> {
    result.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

/// At most [`LONGEST_LINE`], and not through the middle of a character.
fn piece_length(text: &[u8]) -> usize {
    if text.len() <= LONGEST_LINE {
        return text.len();
    }
    let is_inside_character = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    let back = (0..3).take_while(|n| is_inside_character(text[LONGEST_LINE - n])).count();
    LONGEST_LINE - back
}

/// JSON is Unicode, and a container may print anything: what is no UTF-8 becomes U+FFFD, as with Docker.
fn encode(to: &mut Vec<u8>, stream: Stream, text: &[u8], time: &str) {
    to.extend_from_slice(b"{\"log\":");
    // Writing a string to memory cannot fail.
    let _never = serde_json::to_writer(&mut *to, &String::from_utf8_lossy(text));
    to.extend_from_slice(match stream {
        Stream::Stdout => b",\"stream\":\"stdout\",\"time\":\"",
        Stream::Stderr => b",\"stream\":\"stderr\",\"time\":\"",
    });
    to.extend_from_slice(time.as_bytes());
    to.extend_from_slice(b"\"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(folder: &Path, options: &[(&str, &str)]) -> JsonLog {
        let config = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        JsonLog::new(&folder.join("log.json"), &api::LogConfig { r#type: String::new(), config }).unwrap().unwrap()
    }

    fn texts(path: PathBuf) -> Vec<(String, String)> {
        let field = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| (field(&line, "stream"), field(&line, "log"))).collect()
    }

    #[test]
    fn lines_are_put_together_and_kept_apart_by_stream() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(folder.path(), &[]);
        log.take(Stream::Stdout, b"one\ntw");
        log.take(Stream::Stderr, b"err\n");
        log.take(Stream::Stdout, b"o\n\xff\n\nend");
        log.end(Stream::Stdout);
        let expected = [
            ("stdout", "one\n"),
            ("stderr", "err\n"),
            ("stdout", "two\n"),
            ("stdout", "\u{fffd}\n"),
            ("stdout", "\n"),
            ("stdout", "end"),
        ];
        let expected: Vec<_> = expected.iter().map(|(s, t)| ((*s).to_owned(), (*t).to_owned())).collect();
        assert_eq!(texts(folder.path().join("log.json")), expected);
    }

    #[test]
    fn a_long_line_is_split_between_characters() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(folder.path(), &[]);
        let line = "é".repeat(12_000) + "\n";
        // Begun with one byte, so that the limit falls into a character.
        log.take(Stream::Stdout, b"x");
        for chunk in line.as_bytes().chunks(1000) {
            log.take(Stream::Stdout, chunk);
        }
        let pieces = texts(folder.path().join("log.json"));
        let whole: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(whole, format!("x{line}"));
        assert_eq!(pieces.len(), 2);
        assert!(pieces[0].1.len() <= LONGEST_LINE && !pieces[0].1.ends_with('\n'));
    }

    #[test]
    fn the_log_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(folder.path(), &[("max-size", "1k"), ("max-file", "2")]);
        // All in one piece, as a busy container's output comes.
        let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
        log.take(Stream::Stdout, lines.as_bytes());
        let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["log.json", "log.json.1"]);
        assert!(fs::metadata(folder.path().join("log.json.1")).unwrap().len() < 1200);
        let newest = texts(folder.path().join("log.json")).pop().unwrap().1;
        assert_eq!(newest, "line 99\n");
    }

    #[test]
    fn what_could_not_be_written_is_told_where_it_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(folder.path(), &[]);
        log.take(Stream::Stdout, b"one\n");
        // A file that is open for reading takes nothing, as a full disk does.
        let place = folder.path().join("log.json");
        let writable = log.file.replace((File::open(&place).unwrap(), 0)).unwrap();
        log.take(Stream::Stdout, b"two\nthree\n");
        log.take(Stream::Stdout, b"four\n");
        log.file = Some(writable);
        log.take(Stream::Stdout, b"five\n");
        let texts: Vec<_> = texts(place).into_iter().map(|(stream, text)| format!("{stream} {text}")).collect();
        let note = "stderr kesako: 3 lines are missing here: Bad file descriptor (os error 9)\n";
        assert_eq!(texts, ["stdout one\n", note, "stdout five\n"]);
    }

    #[test]
    fn bounds_are_written_as_docker_writes_them() {
        let parse = |size: &str, file: &str| {
            let options = [("max-size", size), ("max-file", file)];
            Bounds::parse(&options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
        };
        assert_eq!(parse("10m", "3").unwrap(), Bounds { max_size: 10 << 20, max_file: 3 });
        assert_eq!(parse("2kB", "1").unwrap(), Bounds { max_size: 2048, max_file: 1 });
        assert_eq!(parse("-1", "1").unwrap().max_size, u64::MAX);
        assert_eq!(parse("1.5m", "1").unwrap().max_size, 3 << 19);
        assert!(parse("ten", "1").is_err() && parse("0", "1").is_err());
        assert!(parse("1m", "0").is_err());
    }
}

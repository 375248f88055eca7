//! The files of a rotated log, read as one, from the beginning or from the last so many lines.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The open files of a log, the oldest first. Held open, they can be read even when they are rotated away.
pub(super) fn open_all(log: &Path) -> io::Result<Vec<File>> {
    // A rotation while we were opening would show us one file twice, or hide one: then we look again. Should a shim
    // have been killed within a rotation, there is no newest file, and that will not change.
    for _ in 0..100 {
        let files = open_each(log)?;
        if files.last().is_none_or(|newest| is(newest, log)) {
            return Ok(files);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    open_each(log)
}

fn open_each(log: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for number in 0.. {
        match File::open(numbered(log, number)) {
            Ok(file) => files.push(file),
            Err(e) if e.kind() == ErrorKind::NotFound && number == 0 => {}
            Err(e) if e.kind() == ErrorKind::NotFound => break,
            Err(e) => return Err(e),
        }
    }
    files.reverse();
    Ok(files)
}

fn numbered(log: &Path, number: u32) -> PathBuf {
    if number == 0 { log.to_owned() } else { PathBuf::from(format!("{}.{number}", log.display())) }
}

/// Whether this is still the file of that name.
pub(super) fn is(file: &File, log: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(log)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        // Between the two steps of a rotation there is no such name for a moment; the old file is over then, too.
        _ => false,
    }
}

/// The files of a log that were begun after this one, the oldest first: all, if it is not among them any more.
pub(super) fn newer(than: Option<&File>, log: &Path) -> io::Result<Vec<File>> {
    let Some(than) = than else { return open_all(log) };
    if is(than, log) {
        return Ok(Vec::new());
    }
    let mut files = open_all(log)?;
    let identity = |file: &File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
    let ours = identity(than)?;
    if let Some(at) = files.iter().position(|file| identity(file).is_ok_and(|identity| identity == ours)) {
        files.drain(..=at);
    }
    Ok(files)
}

/// Moves the files so that the last `lines` lines remain to be read: all but those that remain are dropped.
pub(super) fn keep_tail(files: &mut Vec<File>, lines: usize) -> io::Result<()> {
    let mut missing = lines;
    for index in (0..files.len()).rev() {
        let (found, offset) = last_lines(&mut files[index], missing)?;
        files[index].seek(SeekFrom::Start(offset))?;
        missing -= found;
        if missing == 0 {
            files.drain(..index);
            return Ok(());
        }
    }
    Ok(())
}

/// How many of the wanted lines this file has, and where the first of them begins.
fn last_lines(file: &mut File, wanted: usize) -> io::Result<(usize, u64)> {
    const BLOCK: u64 = 64 * 1024;
    let size = file.seek(SeekFrom::End(0))?;
    let mut block = vec![0; BLOCK as usize];
    let mut end = size;
    let mut found = 0;
    if wanted == 0 || size == 0 {
        return Ok((0, size));
    }
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let length = (end - start) as usize;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..length])?;
        for (at, _) in block[..length].iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            let begin = start + at as u64 + 1;
            // The last line's own end begins no line.
            if begin == size {
                continue;
            }
            found += 1;
            if found == wanted {
                return Ok((found, begin));
            }
        }
        end = start;
    }
    Ok((found + 1, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(files: Vec<File>) -> String {
        files.into_iter().map(|file| io::read_to_string(file).unwrap()).collect()
    }

    #[test]
    fn a_tail_reaches_back_over_files() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.json");
        std::fs::write(numbered(&log, 2), "1\n2\n").unwrap();
        std::fs::write(numbered(&log, 1), "3\n4\n").unwrap();
        std::fs::write(&log, "5\n6\n").unwrap();
        for (lines, expected) in [(0, ""), (1, "6\n"), (2, "5\n6\n"), (3, "4\n5\n6\n"), (5, "2\n3\n4\n5\n6\n")] {
            let mut files = open_all(&log).unwrap();
            keep_tail(&mut files, lines).unwrap();
            assert_eq!(rest(files), expected, "the last {lines}");
        }
        let mut files = open_all(&log).unwrap();
        keep_tail(&mut files, 100).unwrap();
        assert_eq!(rest(files), "1\n2\n3\n4\n5\n6\n");
    }

    #[test]
    fn a_tail_reaches_back_over_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.json");
        let lines: Vec<String> = (0..20_000).map(|n| format!("line {n}\n")).collect();
        std::fs::write(&log, lines.concat()).unwrap();
        let mut files = open_all(&log).unwrap();
        keep_tail(&mut files, 15_000).unwrap();
        assert_eq!(rest(files), lines[5_000..].concat());
    }
}

//! The bytes of a file, from one to the other: by the kernel where it can, and without filling the holes.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use rustix::fs::{SeekFrom, copy_file_range, seek};
use rustix::io::Errno;

use crate::cancel::Cancel;

/// Files up to this size are read and written: copy_file_range(2) gains nothing there.
const SMALL: u64 = 64 * 1024;

/// What the kernel copies at once: so often it is looked whether it is still wanted.
const PIECE: u64 = 64 << 20;

/// How it is done.
pub(super) struct Copying<'a> {
    pub(super) buffer: &'a mut [u8],
    pub(super) cancel: Option<&'a Cancel>,
}

/// Copies a file's bytes, `size` at most: also of one that grows as fast as it is copied there is an end. `blocks`
/// is how many blocks of 512 bytes it takes on the disk (stat(2)). If it is cancelled meanwhile, not all of it is copied.
pub(super) fn copy(from: &mut File, to: &mut File, size: u64, blocks: u64, how: &mut Copying<'_>) -> io::Result<()> {
    if size <= SMALL {
        return read_and_write(from, to, size, how);
    }
    if blocks.saturating_mul(512) < size && copy_parts(from, to, size, how)? {
        return Ok(());
    }
    copy_range(from, to, size, how)
}

/// A file with holes: only the parts between them. False, if this filesystem does not tell where they are.
fn copy_parts(from: &mut File, to: &mut File, size: u64, how: &mut Copying<'_>) -> io::Result<bool> {
    let mut at = 0;
    while at < size {
        let start = match seek(&*from, SeekFrom::Data(at)) {
            Ok(start) => start.min(size),
            // Nothing but a hole is left.
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::NOTSUP) if at == 0 => return Ok(false),
            Err(errno) => return Err(errno.into()),
        };
        let end = seek(&*from, SeekFrom::Hole(start))?.min(size);
        seek(&*from, SeekFrom::Start(start))?;
        seek(&*to, SeekFrom::Start(start))?;
        copy_range(from, to, end - start, how)?;
        at = end;
    }
    to.set_len(size)?;
    Ok(true)
}

fn copy_range(from: &mut File, to: &mut File, size: u64, how: &mut Copying<'_>) -> io::Result<()> {
    let mut left = size;
    while left > 0 && !how.is_cancelled() {
        match copy_file_range(&*from, None, &*to, None, left.min(PIECE) as usize) {
            Ok(0) => break,
            Ok(count) => left -= count as u64,
            Err(Errno::INTR) => {}
            // Not between these two filesystems, or not on this kernel (copy_file_range(2)).
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM | Errno::IO) => {
                return read_and_write(from, to, left, how);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn read_and_write(from: &mut File, to: &mut File, size: u64, how: &mut Copying<'_>) -> io::Result<()> {
    let mut from = from.take(size);
    while !how.is_cancelled() {
        match from.read(how.buffer) {
            Ok(0) => break,
            Ok(count) => to.write_all(&how.buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Copying<'_> {
    fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    #[test]
    fn holes_stay_holes() {
        let mut from = tempfile::tempfile().unwrap();
        for (at, bytes) in [(0, "start"), (3 << 20, "middle"), ((9 << 20) - 3, "end")] {
            from.write_all_at(bytes.as_bytes(), at).unwrap();
        }
        from.set_len(20 << 20).unwrap();
        let mut to = tempfile::tempfile().unwrap();
        let status = from.metadata().unwrap();
        copy(&mut from, &mut to, status.size(), status.blocks(), &mut Copying { buffer: &mut [0; 4096], cancel: None })
            .unwrap();
        let mut bytes = Vec::new();
        io::Seek::rewind(&mut to).unwrap();
        to.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 20 << 20);
        assert_eq!(
            (&bytes[..5], &bytes[3 << 20..][..6], &bytes[(9 << 20) - 3..][..3]),
            (&b"start"[..], &b"middle"[..], &b"end"[..])
        );
        assert_eq!(bytes.iter().filter(|byte| **byte != 0).count(), 14);
        assert!(to.metadata().unwrap().blocks() < 2048, "less than a megabyte on the disk");
    }

    #[test]
    fn what_grows_meanwhile_is_cut_and_what_shrinks_is_short() {
        let mut from = tempfile::tempfile().unwrap();
        from.write_all(&vec![1; 300_000]).unwrap();
        for (size, copied) in [(200_000, 200_000), (400_000, 300_000), (10, 10)] {
            io::Seek::rewind(&mut from).unwrap();
            let mut to = tempfile::tempfile().unwrap();
            copy(&mut from, &mut to, size, u64::MAX, &mut Copying { buffer: &mut [0; 4096], cancel: None }).unwrap();
            assert_eq!(to.metadata().unwrap().len(), copied);
        }
    }
}

//! Reading the entries of a tar archive, one after the other, from a stream that may mean harm.
//!
//! The layout of a header is the `tar` crate's; the order of headers is read here, because what a layer may hold is
//! bounded here: an extension header is kept in memory, so it may not be large, and a sparse file may not be endless.
//! Where POSIX leaves a choice, the one of Go's archive/tar is taken, so that Docker sees the same entries.

use std::io::{self, BufRead};

use crate::error::{Fault, Malformed, Refusal};
use crate::pax;
use crate::sparse::{Records, Sparse};
use crate::unpack::Limits;

const BLOCK: u64 = 512;
/// The largest extension header; Go's archive/tar has the same.
const LARGEST_EXTENSION: u64 = 1 << 20;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Folder,
    Fifo,
}

/// An entry, all extensions applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub kind: Kind,
    /// As it stands in the archive: not to be trusted.
    pub name: Vec<u8>,
    /// The target of a link: neither.
    pub link: Vec<u8>,
    /// Permissions, setuid, setgid and sticky bit.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Major and minor number.
    pub device: (u64, u64),
    pub xattrs: Vec<(String, Vec<u8>)>,
    pub sparse: Option<Sparse>,
}

/// A tar archive that is being read.
pub(crate) struct Archive<R> {
    source: R,
    limits: Limits,
    /// Bytes read, and bytes of holes.
    spent: u64,
    entries: u64,
    /// What is left of the current entry: its data, and the padding to a whole block.
    data: u64,
    padding: u64,
    /// For messages: the last name seen.
    name: Vec<u8>,
}

impl<R: BufRead> Archive<R> {
    /// Reads the archive in `source`, which has to be uncompressed.
    pub(crate) fn new(source: R, limits: Limits) -> Self {
        Archive { source, limits, spent: 0, entries: 0, data: 0, padding: 0, name: Vec::new() }
    }

    /// The name of the current entry as it stands in the archive.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The next entry; what was not read of the last one is skipped. Nothing at the end of the archive, which is
    /// also the end of the stream: all of it has been read then.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Fault> {
        let mut extensions = Extensions::default();
        loop {
            self.skip(self.data)?;
            // umoci's archives end without it, and Go's reader takes them.
            let ends_early = self.padding > 0 && self.source.fill_buf().map_err(Fault::Source)?.is_empty();
            self.skip(if ends_early { 0 } else { self.padding })?;
            (self.data, self.padding) = (0, 0);
            let Some(header) = self.header()? else {
                // An extension without the entry it extends.
                return if extensions == Extensions::default() { Ok(None) } else { Err(Malformed::Truncated.into()) };
            };
            self.count_entry()?;
            let size = field(&header.as_old().size, "size")?;
            match header.as_old().linkflag[0] {
                b'L' => extensions.name = Some(text(self.extension(size)?)),
                b'K' => extensions.link = Some(text(self.extension(size)?)),
                b'x' => extensions.records = pax::records(&self.extension(size)?)?,
                // A global header (git archive writes one) would speak of all entries; Go and Docker pass over it.
                b'g' => self.set_data(size)?,
                _ => return self.entry(&header, size, extensions).map(Some),
            }
        }
    }

    /// The header block at this place, or nothing at the end.
    fn header(&mut self) -> Result<Option<tar::Header>, Fault> {
        let at = self.spent;
        let mut header = tar::Header::new_old();
        // Some writers leave out the two empty blocks at the end.
        if self.source.fill_buf().map_err(Fault::Source)?.is_empty() {
            return Ok(None);
        }
        self.read_exact(header.as_mut_bytes())?;
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            self.end()?;
            return Ok(None);
        }
        // The checksum counts its own field as spaces; old writers summed up signed bytes.
        let outside = || bytes[..148].iter().chain(&bytes[156..]);
        let unsigned = 256 + outside().map(|byte| i64::from(*byte)).sum::<i64>();
        let signed = 256 + outside().map(|byte| i64::from(byte.cast_signed())).sum::<i64>();
        match number(&bytes[148..156]) {
            Some(sum) if sum == unsigned || sum == signed => Ok(Some(header)),
            _ => Err(Malformed::BadHeader(at).into()),
        }
    }

    /// After the first empty block only more of them may come: tar fills up records of 20 blocks.
    fn end(&mut self) -> Result<(), Fault> {
        loop {
            let ahead = self.source.fill_buf().map_err(Fault::Source)?;
            if ahead.is_empty() {
                return Ok(());
            }
            if ahead.iter().any(|byte| *byte != 0) {
                return Err(Malformed::Trailing.into());
            }
            let count = ahead.len();
            self.source.consume(count);
            self.spend(count as u64)?;
        }
    }

    /// The content of an extension header.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Fault> {
        if size > LARGEST_EXTENSION {
            return Err(Refusal::LargeExtension(size).into());
        }
        self.set_data(size)?;
        let mut bytes = vec![0; size as usize];
        self.read_exact(&mut bytes)?;
        self.data = 0;
        Ok(bytes)
    }

    /// An entry from its header and what came before it.
    fn entry(&mut self, header: &tar::Header, size: u64, extensions: Extensions) -> Result<Entry, Fault> {
        let old = header.as_old();
        let ustar = header.as_ustar();
        let device = |minor: bool| match (ustar, header.as_gnu()) {
            (Some(header), _) => field(if minor { &header.dev_minor } else { &header.dev_major }, "device"),
            (_, Some(header)) => field(if minor { &header.dev_minor } else { &header.dev_major }, "device"),
            _ => Ok(0),
        };
        let name = extensions.name.unwrap_or_else(|| header.path_bytes().into_owned());
        self.name.clone_from(&name);
        let mut entry = Entry {
            kind: kind(old.linkflag[0], name.ends_with(b"/"))?,
            name,
            link: extensions.link.unwrap_or_else(|| text(old.linkname.to_vec())),
            mode: field(&old.mode, "mode")? as u32 & 0o7777,
            uid: field(&old.uid, "uid")?.try_into().map_err(|_| bad("uid"))?,
            gid: field(&old.gid, "gid")?.try_into().map_err(|_| bad("gid"))?,
            mtime: (number(&old.mtime).ok_or_else(|| bad("mtime"))?, 0),
            device: (0, 0),
            xattrs: Vec::new(),
            sparse: None,
        };
        if matches!(entry.kind, Kind::CharDevice | Kind::BlockDevice) {
            entry.device = (device(false)?, device(true)?);
        }
        let mut stored = size;
        let sparse = entry.apply(extensions.records, &mut stored)?;
        self.name.clone_from(&entry.name);
        if entry.kind == Kind::File {
            self.set_data(stored)?;
            self.sparse(&mut entry, header, sparse)?;
        }
        Ok(entry)
    }

    /// Finds the map of a sparse file, wherever it is kept.
    fn sparse(&mut self, entry: &mut Entry, header: &tar::Header, records: Records) -> Result<(), Fault> {
        let map_in_data = records.map_in_data();
        entry.sparse = records.into_sparse()?;
        if let (b'S', Some(gnu)) = (header.as_old().linkflag[0], header.as_gnu()) {
            entry.sparse = Some(self.gnu_map(gnu)?);
        }
        let Some(sparse) = &mut entry.sparse else { return Ok(()) };
        if map_in_data {
            self.map_ahead_of_data(sparse)?;
        }
        sparse.verify(self.data)?;
        self.spend(sparse.size.saturating_sub(self.data))
    }

    /// Old GNU: four parts in the header, more in blocks between header and data.
    fn gnu_map(&mut self, header: &tar::GnuHeader) -> Result<Sparse, Fault> {
        let mut sparse = Sparse { size: field(&header.realsize, "size")?, parts: Vec::new() };
        sparse.push_gnu(&header.sparse)?;
        let mut more = header.isextended[0] == 1;
        while more {
            let mut block = tar::GnuExtSparseHeader::new();
            self.read_exact(block.as_mut_bytes())?;
            sparse.push_gnu(block.sparse())?;
            more = block.is_extended();
        }
        Ok(sparse)
    }

    /// PAX 1.0: decimal numbers, a line each, in as many blocks as they need: first how many parts, then the parts.
    fn map_ahead_of_data(&mut self, sparse: &mut Sparse) -> Result<(), Fault> {
        let before = self.data;
        let count = self.line()?;
        for _ in 0..count {
            let (offset, length) = (self.line()?, self.line()?);
            sparse.push(offset, length)?;
        }
        let over = (before - self.data) % BLOCK;
        if over != 0 {
            let padding = (BLOCK - over).min(self.data);
            self.skip(padding)?;
            self.data -= padding;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<u64, Fault> {
        let mut digits = Vec::new();
        loop {
            let mut byte = [0];
            if self.data == 0 || digits.len() > 20 {
                return Err(Refusal::BadSparseMap.into());
            }
            self.read_exact(&mut byte)?;
            self.data -= 1;
            match byte[0] {
                b'\n' => return pax::number(&digits).map_err(|_| Refusal::BadSparseMap.into()),
                digit => digits.push(digit),
            }
        }
    }

    /// Hands on up to `limit` bytes of the current entry's data as they lie in the buffer, until it is all read.
    pub(crate) fn copy(&mut self, mut limit: u64, mut to: impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        limit = limit.min(self.data);
        while limit > 0 {
            let ahead = self.source.fill_buf().map_err(Fault::Source)?;
            if ahead.is_empty() {
                return Err(Malformed::Truncated.into());
            }
            let count = ahead.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
            to(&ahead[..count])?;
            self.source.consume(count);
            limit -= count as u64;
            self.data -= count as u64;
            self.spend(count as u64)?;
        }
        Ok(())
    }

    fn set_data(&mut self, size: u64) -> Result<(), Fault> {
        // Checked ahead of time, so that a hostile size is refused before anything is written.
        if size > self.limits.bytes.saturating_sub(self.spent) {
            return Err(Refusal::TooManyBytes(self.limits.bytes).into());
        }
        self.data = size;
        self.padding = size.next_multiple_of(BLOCK) - size;
        Ok(())
    }

    fn skip(&mut self, mut count: u64) -> Result<(), Fault> {
        while count > 0 {
            let ahead = self.source.fill_buf().map_err(Fault::Source)?.len() as u64;
            if ahead == 0 {
                return Err(Malformed::Truncated.into());
            }
            let step = ahead.min(count);
            self.source.consume(step as usize);
            self.spend(step)?;
            count -= step;
        }
        Ok(())
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        self.source.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Malformed::Truncated.into(),
            _ => Fault::Source(error),
        })?;
        self.spend(buffer.len() as u64)
    }

    fn spend(&mut self, count: u64) -> Result<(), Fault> {
        self.spent = self.spent.saturating_add(count);
        if self.spent > self.limits.bytes {
            return Err(Refusal::TooManyBytes(self.limits.bytes).into());
        }
        Ok(())
    }

    fn count_entry(&mut self) -> Result<(), Fault> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Refusal::TooManyEntries(self.limits.entries).into());
        }
        Ok(())
    }
}

impl Entry {
    /// Applies the records of an extended header. Returns those about sparse files.
    fn apply(&mut self, records: Vec<(String, Vec<u8>)>, stored: &mut u64) -> Result<Records, Fault> {
        let mut sparse = Records::default();
        for (key, value) in records {
            let id = |value: &[u8]| pax::number(value)?.try_into().map_err(|_| bad("id"));
            match key.as_str() {
                // An empty value takes the record back.
                "path" if !value.is_empty() => self.name = value,
                "linkpath" if !value.is_empty() => self.link = value,
                "size" => *stored = pax::number(&value)?,
                "uid" => self.uid = id(&value)?,
                "gid" => self.gid = id(&value)?,
                "mtime" => self.mtime = pax::time(&value)?,
                key => {
                    if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                        self.xattrs.push((name.to_string(), value));
                    } else if let Some(key) = key.strip_prefix("GNU.sparse.") {
                        sparse.take(key, value)?;
                    }
                }
            }
        }
        if let Some(name) = sparse.name.take() {
            self.name = name;
        }
        Ok(sparse)
    }
}

/// What comes before the header of an entry and changes it.
#[derive(Default, PartialEq)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Vec<(String, Vec<u8>)>,
}

fn kind(flag: u8, slash: bool) -> Result<Kind, Refusal> {
    match flag {
        // Before there was a flag for folders, a slash at the end said it.
        b'0' | 0 if slash => Ok(Kind::Folder),
        b'0' | 0 | b'7' | b'S' => Ok(Kind::File),
        b'1' => Ok(Kind::HardLink),
        b'2' => Ok(Kind::Symlink),
        b'3' => Ok(Kind::CharDevice),
        b'4' => Ok(Kind::BlockDevice),
        b'5' => Ok(Kind::Folder),
        b'6' => Ok(Kind::Fifo),
        flag => Err(Refusal::UnknownType(flag.into())),
    }
}

/// A number in a header: octal digits between spaces and NULs, or, with the highest bit set, big-endian binary.
pub(crate) fn number(field: &[u8]) -> Option<i64> {
    if field[0] & 0x80 != 0 {
        // Two's complement, and the mark is no part of the number.
        let first = if field[0] & 0x40 != 0 { i128::from(field[0].cast_signed()) } else { i128::from(field[0] & 0x7f) };
        let shift = |value: i128, byte: &u8| value.checked_mul(256)?.checked_add(i128::from(*byte));
        return field[1..].iter().try_fold(first, shift)?.try_into().ok();
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    match std::str::from_utf8(&digits[..end]).ok()? {
        "" => Some(0),
        digits if digits.starts_with(['+', '-']) => None,
        digits => i64::from_str_radix(digits, 8).ok(),
    }
}

fn field(bytes: &[u8], name: &'static str) -> Result<u64, Fault> {
    number(bytes).and_then(|number| number.try_into().ok()).ok_or_else(|| bad(name).into())
}

fn bad(field: &'static str) -> Refusal {
    Refusal::BadField(field)
}

/// Up to the first NUL.
fn text(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

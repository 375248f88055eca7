//! What a program needs in order to start, read from its own headers: elf(5).
//!
//! `ldd` would run the program's loader to find out; reading is safer, quicker, and works for any C library.

use std::path::{Path, PathBuf};

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// The dependencies of a program or a library.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Elf {
    /// Class, byte order and machine: a library has to have the same.
    pub kind: (u8, u8, u64),
    /// The loader that the kernel starts in the program's place. None: the program is static, or a library.
    pub interpreter: Option<PathBuf>,
    /// Names of libraries.
    pub needed: Vec<String>,
    /// Folders to look in first (RUNPATH, else RPATH), `$ORIGIN` not yet replaced.
    pub run_path: Vec<String>,
}

impl Elf {
    /// Reads the headers of a file; None if they are not an ELF file's, or make no sense.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let file = File { bytes, wide: *bytes.get(4)? == 2, big: *bytes.get(5)? == 2 };
        if !bytes.starts_with(b"\x7fELF") {
            return None;
        }
        let segments = file.segments()?;
        let kind = (bytes[4], bytes[5], file.number(18, 2)?);
        let mut elf = Self { kind, ..Self::default() };
        if let Some(interpreter) = segments.iter().find(|s| s.kind == PT_INTERP) {
            elf.interpreter = Some(Path::new(&file.text(interpreter.offset)?).to_owned());
        }
        if let Some(dynamic) = segments.iter().find(|s| s.kind == PT_DYNAMIC) {
            file.read_dynamic(dynamic, &segments, &mut elf)?;
        }
        Some(elf)
    }

    /// Needs nothing but the kernel.
    pub(super) fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.needed.is_empty()
    }
}

struct File<'a> {
    bytes: &'a [u8],
    /// 64 bits.
    wide: bool,
    big: bool,
}

/// A program header.
struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    size: u64,
}

impl File<'_> {
    fn number(&self, at: u64, length: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    fn word(&self, at: u64) -> Option<u64> {
        self.number(at, if self.wide { 8 } else { 4 })
    }

    fn text(&self, at: u64) -> Option<String> {
        let rest = self.bytes.get(usize::try_from(at).ok()?..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        String::from_utf8(rest[..end].to_vec()).ok()
    }

    fn segments(&self) -> Option<Vec<Segment>> {
        let (table, size, count) = match self.wide {
            true => (self.word(32)?, self.number(54, 2)?, self.number(56, 2)?),
            false => (self.word(28)?, self.number(42, 2)?, self.number(44, 2)?),
        };
        let segment = |index: u64| {
            let at = table.checked_add(index * size)?;
            let kind = self.number(at, 4)?;
            let (offset, address, length) = if self.wide { (8, 16, 32) } else { (4, 8, 16) };
            let (offset, address) = (self.word(at + offset)?, self.word(at + address)?);
            Some(Segment { kind, offset, address, size: self.word(at + length)? })
        };
        (0..count).map(segment).collect()
    }

    fn read_dynamic(&self, dynamic: &Segment, segments: &[Segment], elf: &mut Elf) -> Option<()> {
        let word = if self.wide { 8 } else { 4 };
        let entries: Vec<(u64, u64)> = (0..dynamic.size / (2 * word))
            .map(|index| dynamic.offset + index * 2 * word)
            .map_while(|at| Some((self.word(at)?, self.word(at + word)?)))
            .take_while(|(tag, _)| *tag != 0)
            .collect();
        let values = |wanted: u64| entries.iter().filter(move |(tag, _)| *tag == wanted).map(|(_, value)| *value);
        let Some(strings) = values(DT_STRTAB).next() else { return Some(()) };
        // The table is given by its address in memory; the segment that holds it says where that is in the file.
        let holder = segments.iter().find(|s| s.kind == PT_LOAD && strings.wrapping_sub(s.address) < s.size)?;
        let strings = strings - holder.address + holder.offset;
        let string = |at: u64| self.text(strings.checked_add(at)?);
        elf.needed = values(DT_NEEDED).map(string).collect::<Option<_>>()?;
        let path = values(DT_RUNPATH).next().or_else(|| values(DT_RPATH).next());
        elf.run_path = match path {
            Some(at) => string(at)?.split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect(),
            None => Vec::new(),
        };
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_program_is_read() {
        let elf = Elf::parse(&std::fs::read("/proc/self/exe").unwrap()).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        for library in &elf.needed {
            assert!(maps.contains(library), "{library} is loaded here");
        }
        assert_eq!(elf.is_static(), elf.interpreter.is_none());
    }

    #[test]
    fn nonsense_is_no_elf_and_no_panic() {
        let real = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(Elf::parse(b""), None);
        assert_eq!(Elf::parse(b"#!/bin/sh\n"), None);
        for length in 0..200 {
            assert_eq!(Elf::parse(&real[..length]), None, "the first {length} bytes");
        }
        // Every header byte, turned over: whatever comes out, it comes out.
        for at in 4..1024 {
            let mut bent = real[..real.len().min(1 << 16)].to_vec();
            bent[at] = !bent[at];
            Elf::parse(&bent);
        }
    }
}

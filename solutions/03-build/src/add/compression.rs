//! What archives are compressed with. Layers are never xz or bzip2; archives that people add are.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use layers::compression;
use lzma_rust2::XzReader;

/// What decompressing may take, in KiB: `xz -9` takes 65 MB, and a hostile archive may ask for 4 GB.
const MEMORY: u32 = 256 * 1024;
const BUFFER: usize = 128 * 1024;
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const BZIP2: &[u8] = b"BZh";

/// The uncompressed bytes of a stream that may be compressed: its first bytes decide.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn decompress<'a>(source: impl Read + Send + 'a) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    let mut source = BufReader::with_capacity(BUFFER, source);
    let first = source.fill_buf()?;
    if first.starts_with(XZ) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, XzReader::new_mem_limit(source, true, MEMORY))));
    }
    if first.starts_with(BZIP2) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, MultiBzDecoder::new(source))));
    }
    compression::decompress(source, "")
}

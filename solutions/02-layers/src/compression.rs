//! Layers are tar archives, mostly gzipped, sometimes zstd.
//!
//! The first bytes decide: media types are often wrong (Docker, too, looks at the bytes). Only a media type that
//! promises a compression which is not there is refused.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use crate::error::Malformed;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Compressions that Docker once accepted and OCI has no media type for.
const UNSUPPORTED: [(&[u8], &str); 2] = [(b"BZh", "bzip2"), (&[0xfd, b'7', b'z', b'X', b'Z'], "xz")];

/// No beginning by which a compression is known is longer.
const LONGEST: usize = 6;

/// How a stream with these first bytes is compressed.
///
/// # Errors
/// [`Malformed::Unsupported`] for a compression that layers may not have.
pub fn detect(first: &[u8]) -> Result<Compression, Malformed> {
    match UNSUPPORTED.iter().find(|(magic, _)| first.starts_with(magic)) {
        Some((_, name)) => Err(Malformed::Unsupported(name)),
        None if first.starts_with(GZIP) => Ok(Compression::Gzip),
        None if first.starts_with(ZSTD) || is_zstd_skippable(first) => Ok(Compression::Zstd),
        None => Ok(Compression::None),
    }
}

/// A zstd stream may begin with a frame that carries no content (RFC 8878, 3.1.2).
fn is_zstd_skippable(first: &[u8]) -> bool {
    matches!(first, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The uncompressed bytes of a layer.
///
/// # Errors
/// If the stream cannot be read, is compressed in an unknown way, or not as its media type promises (an
/// [`io::Error`] that holds a [`Malformed`]).
pub fn decompress<'a>(source: impl Read + Send + 'a, media_type: &str) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    const BUFFER: usize = 128 * 1024;
    let mut source = source;
    // What comes through a socket may come byte by byte.
    let mut first = Vec::with_capacity(LONGEST);
    source.by_ref().take(LONGEST as u64).read_to_end(&mut first)?;
    let compression = detect(&first).map_err(invalid)?;
    let source = BufReader::with_capacity(BUFFER, io::Cursor::new(first).chain(source));
    let promised = ["gzip", "zstd"].iter().any(|name| media_type.ends_with(name));
    match compression {
        Compression::None if promised => Err(invalid(Malformed::NotCompressed(media_type.to_string()))),
        Compression::None => Ok(Box::new(source)),
        _ => Ok(Box::new(BufReader::with_capacity(BUFFER, Members::Between { source, compression, first: true }))),
    }
}

fn invalid(problem: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// A compressed stream is a sequence of members (gzip, RFC 1952) or frames (zstd): `cat a.gz b.gz` is one stream.
/// Between two of them is nothing, and what does not begin like a member has no business there.
enum Members<R: BufRead> {
    Between { source: R, compression: Compression, first: bool },
    Gzip(Box<GzDecoder<R>>),
    Zstd(ZstdDecoder<'static, R>),
    Done,
}

impl<R: BufRead> Members<R> {
    /// Opens the next member, or finds the end.
    fn next(mut source: R, compression: Compression, first: bool) -> io::Result<Members<R>> {
        let ahead = source.fill_buf()?;
        if ahead.is_empty() {
            return Ok(Members::Done);
        }
        let magic = if compression == Compression::Gzip { GZIP } else { ZSTD };
        // The buffer may end within the magic number; the decoder then sees the rest.
        let length = ahead.len().min(magic.len());
        let skippable = compression == Compression::Zstd && (0x50..=0x5f).contains(&ahead[0]);
        if !first && ahead[..length] != magic[..length] && !skippable {
            return Err(invalid(Malformed::Trailing));
        }
        match compression {
            Compression::Gzip => Ok(Members::Gzip(Box::new(GzDecoder::new(source)))),
            _ => Ok(Members::Zstd(ZstdDecoder::with_buffer(source)?.single_frame())),
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = match self {
                Members::Done => return Ok(0),
                Members::Between { .. } => 0,
                Members::Gzip(decoder) => decoder.read(buffer)?,
                Members::Zstd(decoder) => decoder.read(buffer)?,
            };
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            *self = match std::mem::replace(self, Members::Done) {
                Members::Done => Members::Done,
                Members::Between { source, compression, first } => Members::next(source, compression, first)?,
                Members::Gzip(decoder) => Members::next(decoder.into_inner(), Compression::Gzip, false)?,
                Members::Zstd(decoder) => Members::next(decoder.finish(), Compression::Zstd, false)?,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn plain(stream: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        decompress(stream, "")?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn problem(stream: &[u8]) -> Option<Malformed> {
        plain(stream).unwrap_err().get_ref()?.downcast_ref::<Malformed>().cloned()
    }

    #[test]
    fn several_members_are_one_stream() {
        assert_eq!(plain(&[gzip(b"one "), gzip(b""), gzip(b"two")].concat()).unwrap(), b"one two");
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7].to_vec();
        assert_eq!(plain(&[skippable.clone(), zstd(b"one "), skippable, zstd(b"two")].concat()).unwrap(), b"one two");
    }

    #[test]
    fn a_stream_may_come_byte_by_byte() {
        struct Drops<'a>(&'a [u8]);
        impl Read for Drops<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                let one = to.len().min(1);
                self.0.read(&mut to[..one])
            }
        }
        for stream in [gzip(b"one"), zstd::encode_all(&b"one"[..], 1).unwrap(), b"one".to_vec()] {
            let mut bytes = Vec::new();
            decompress(Drops(&stream), "").unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, b"one");
        }
        assert_eq!(decompress(Drops(b""), "").unwrap().read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn what_follows_the_last_member_is_refused() {
        assert_eq!(problem(&[gzip(b"one"), b"garbage".to_vec()].concat()), Some(Malformed::Trailing));
        assert_eq!(problem(&[gzip(b"one"), vec![0; 512]].concat()), Some(Malformed::Trailing));
        assert_eq!(
            problem(&[zstd::encode_all(&b"one"[..], 1).unwrap(), vec![1, 2]].concat()),
            Some(Malformed::Trailing)
        );
    }

    #[test]
    fn a_truncated_stream_is_no_shorter_stream() {
        let gzipped = gzip(&[7; 10_000]);
        let zstd = zstd::encode_all(&[7; 10_000][..], 1).unwrap();
        for stream in [&gzipped[..gzipped.len() - 1], &gzipped[..20], &zstd[..zstd.len() - 1]] {
            assert_eq!(plain(stream).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn a_media_type_may_not_promise_what_is_not_there() {
        let error = decompress(&b"plain"[..], "application/vnd.oci.image.layer.v1.tar+gzip").err().unwrap();
        assert!(error.to_string().contains("not compressed so"), "{error}");
        assert_eq!(problem(b"BZh91AY"), Some(Malformed::Unsupported("bzip2")));
    }
}

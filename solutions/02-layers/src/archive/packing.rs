//! Stands in for `compression` until that is in place.

use std::io::{self, BufRead, BufReader, Read};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

pub(crate) fn detect(first: &[u8]) -> io::Result<Compression> {
    Ok(match first {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        _ => Compression::None,
    })
}

pub(crate) fn decompress<'a>(source: impl Read + Send + 'a, _: &str) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    let mut source = BufReader::new(source);
    Ok(match detect(source.fill_buf()?)? {
        Compression::None => Box::new(source),
        Compression::Gzip => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(source))),
        Compression::Zstd => Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(source)?)),
    })
}

//! The wire format of a container's output when it has no terminal: stdout and stderr share one stream, cut in frames.
//!
//! ```text
//!   byte   0        1 2 3     4 5 6 7              8 …
//!          stream   0 0 0     length, big-endian   that many bytes
//! ```
//!
//! (Docker Engine API, `ContainerAttach`, "Stream format".) With a terminal there is no such thing: the terminal has
//! mixed the two already, and the bytes travel bare.

use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A frame longer than this is not output, but a reader that has lost its place.
const LONGEST_FRAME: usize = 64 << 20;

/// Which of the streams a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Stream 1 (and 0, which is stdin echoed back).
    Stdout,
    /// Stream 2.
    Stderr,
    /// Stream 3: the daemon itself, telling why the stream ends.
    SystemError,
}

/// One piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it is to be written.
    pub output: Output,
    /// What is to be written.
    pub data: Bytes,
}

/// Cuts a stream into its frames.
#[derive(Debug)]
pub struct FrameReader<R> {
    stream: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads frames from `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::with_capacity(16 << 10) }
    }

    /// The next frame, or None at the end of the stream. Safe to drop half-way: nothing that was read is lost.
    ///
    /// # Errors
    /// The stream's own, or `InvalidData` if these are no frames, or `UnexpectedEof` within one.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.cut()? {
                return Ok(Some(frame));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    fn cut(&mut self) -> io::Result<Option<Frame>> {
        let Some(&[stream, _, _, _, a, b, c, d]) = self.buffer.first_chunk::<8>() else { return Ok(None) };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let output = match stream {
            0 | 1 => Output::Stdout,
            2 => Output::Stderr,
            3 => Output::SystemError,
            other => return Err(invalid(format!("Unrecognized input header: {other}"))),
        };
        if length > LONGEST_FRAME {
            return Err(invalid(format!("a frame of {length} bytes: this is no multiplexed stream")));
        }
        if self.buffer.len() < 8 + length {
            self.buffer.reserve(8 + length - self.buffer.len());
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(8 + length);
        let data = frame.split_off(8).freeze();
        Ok(Some(Frame { output, data }))
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn frames(bytes: &[u8]) -> io::Result<Vec<(Output, Vec<u8>)>> {
        let mut reader = FrameReader::new(bytes);
        let mut found = Vec::new();
        while let Some(frame) = reader.next().await? {
            found.push((frame.output, frame.data.to_vec()));
        }
        Ok(found)
    }

    #[tokio::test]
    async fn cuts_interleaved_output() {
        let wire = b"\x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\x03err\x01\0\0\0\0\0\0\0";
        let expected =
            vec![(Output::Stdout, b"hi".to_vec()), (Output::Stderr, b"err".to_vec()), (Output::Stdout, vec![])];
        assert_eq!(frames(wire).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn refuses_what_is_no_frame() {
        assert_eq!(frames(b"plain text").await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(frames(b"\x01\0\0\0\xff\xff\xff\xff").await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(frames(b"\x01\0\0\0\0\0\0\x05hi").await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}

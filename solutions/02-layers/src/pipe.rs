//! Between two threads: one brings bytes, the other takes them, and only so many are on their way.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// A piece, and how many there are: so much memory a pipe takes.
const PIECE: usize = 256 * 1024;
const PIECES: usize = 4;

/// Pieces with bytes go one way, and come back to be filled again.
pub(crate) fn pipe() -> (Inlet, Outlet) {
    let (full, filled) = sync_channel(PIECES);
    let (empty, emptied) = channel();
    for _ in 0..PIECES {
        // The other end is right here.
        empty.send(Vec::new()).ok();
    }
    (Inlet { full, emptied }, Outlet { filled, empty, piece: Vec::new(), at: 0 })
}

/// Where the bytes go in.
pub(crate) struct Inlet {
    full: SyncSender<io::Result<Vec<u8>>>,
    emptied: Receiver<Vec<u8>>,
}

impl Inlet {
    /// Sends what a source yields, to its end or an error, which is sent too; or until nobody takes any more.
    pub(crate) fn carry(self, source: io::Result<impl Read>) {
        let mut source = match source {
            Ok(source) => source,
            Err(error) => return drop(self.full.send(Err(error))),
        };
        while let Ok(mut piece) = self.emptied.recv() {
            piece.resize(PIECE, 0);
            let piece = match source.read(&mut piece) {
                Ok(0) => return,
                Ok(count) => {
                    piece.truncate(count);
                    Ok(piece)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Vec::new()),
                Err(error) => Err(error),
            };
            let last = piece.is_err();
            if self.full.send(piece).is_err() || last {
                return;
            }
        }
    }
}

/// Where they come out. The end of it is the source's end.
pub(crate) struct Outlet {
    filled: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl BufRead for Outlet {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.piece.len() {
            // Nobody sends any more: this was all.
            let Ok(next) = self.filled.recv() else { break };
            let done = std::mem::replace(&mut self.piece, next?);
            self.at = 0;
            // One that sends no more wants none back.
            self.empty.send(done).ok();
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at = self.piece.len().min(self.at + count);
    }
}

impl Read for Outlet {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn what_goes_in_comes_out() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
        let (inlet, mut outlet) = pipe();
        let mut found = Vec::new();
        thread::scope(|scope| {
            scope.spawn(|| inlet.carry(Ok(bytes.as_slice())));
            outlet.read_to_end(&mut found).unwrap();
        });
        assert!(found == bytes);
        assert_eq!(outlet.read(&mut [0]).unwrap(), 0, "the end stays the end");
    }

    #[test]
    fn an_error_comes_out_after_what_came_before_it() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let (inlet, mut outlet) = pipe();
        inlet.carry(Ok(b"abc".chain(Breaks)));
        let mut found = Vec::new();
        assert_eq!(outlet.read_to_end(&mut found).unwrap_err().to_string(), "broken");
        assert_eq!(found, b"abc");
    }

    #[test]
    fn what_nobody_takes_is_not_brought() {
        let (inlet, outlet) = pipe();
        drop(outlet);
        // Would never end.
        inlet.carry(Ok(io::repeat(0)));
        let (inlet, mut outlet) = pipe();
        thread::scope(|scope| {
            scope.spawn(|| inlet.carry(Ok(io::repeat(1))));
            outlet.read_exact(&mut [0; 10]).unwrap();
            drop(outlet);
        });
    }
}

//! How a build is told to end before its end: the user pressed Ctrl-C, or the client has gone.

use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Shared between whoever may cancel and whoever works. Work that waits for something else too, such as a command's
/// output, polls the descriptor beside it: once cancelled it is readable, and stays so.
#[derive(Debug)]
pub struct Cancel {
    ours: UnixStream,
    theirs: UnixStream,
}

impl Cancel {
    /// Not cancelled.
    ///
    /// # Errors
    /// There are no more descriptors.
    pub fn new() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        theirs.set_nonblocking(true)?;
        Ok(Self { ours, theirs })
    }

    /// The build is to end. What is being done is broken off, and what it made is removed.
    pub fn cancel(&self) {
        // The end of a stream is readable to all who look, however often. It fails only where it was done already.
        let _already = self.ours.shutdown(Shutdown::Both);
    }

    pub fn is_cancelled(&self) -> bool {
        // Nothing is ever written, so there is either the end, or nothing yet.
        !matches!((&self.theirs).read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.theirs.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_and_heard_by_all() -> io::Result<()> {
        let cancel = Cancel::new()?;
        assert!(!cancel.is_cancelled() && !cancel.is_cancelled());
        std::thread::scope(|scope| drop(scope.spawn(|| cancel.cancel())));
        assert!(cancel.is_cancelled() && cancel.is_cancelled());
        cancel.cancel();
        assert!(cancel.is_cancelled());
        Ok(())
    }
}

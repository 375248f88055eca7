//! One stream after another, as one.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

/// What `past` still holds, and then `present` in both directions.
pub(crate) fn after(mut past: UnixStream, mut present: UnixStream) -> std::io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    let (mut typed, mut to) = (theirs.try_clone()?, present.try_clone()?);
    thread::Builder::new().name("replay".to_owned()).spawn(move || {
        let mut theirs = theirs;
        // Either end may go away; then the other one is told so, and that is all there is to do.
        if pump(&mut past, &mut theirs).is_ok() {
            let _left = pump(&mut present, &mut theirs);
        }
        let _closed = theirs.shutdown(Shutdown::Both);
        let _closed = present.shutdown(Shutdown::Both);
    })?;
    thread::Builder::new().name("typed".to_owned()).spawn(move || {
        let _left = pump(&mut typed, &mut to);
        let _closed = to.shutdown(Shutdown::Write);
    })?;
    Ok(ours)
}

fn pump(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<u64> {
    std::io::copy(from, to)
}

//! What is still to be written, met while running: the panic of a `todo!()` becomes a sentence.
//!
//! Between clone and exec a panic has nobody to catch it, and no terminal to be printed on. So it goes to the parent on
//! the socket where every other failure of the child goes, and comes out of [`launch`](crate::launch()) as an error.

use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::{report, sys};

/// The child's end of the socket. The parent's memory never holds it.
static CHANNEL: AtomicI32 = AtomicI32::new(-1);

/// Of a panic, as much as fits one message.
pub(crate) const LENGTH: usize = 480;

/// A panic in one line: `exercise 2.3 is still yours to write: chapters/02-layers/src/unpack.rs:41`.
///
/// # Errors
/// Those of the writer.
pub fn describe(info: &PanicHookInfo<'_>, to: &mut impl fmt::Write) -> fmt::Result {
    match exercise(info) {
        Some(number) => write!(to, "exercise {number} is still yours to write")?,
        None => write!(to, "a defect: {}", info.payload_as_str().unwrap_or("a panic without words"))?,
    }
    match info.location() {
        Some(at) => write!(to, ": {}:{}", at.file(), at.line()),
        None => Ok(()),
    }
}

/// The sentence that [`describe`] has made of a hole, in a text that has words around it.
pub fn sentence(text: &str) -> Option<&str> {
    const MIDDLE: &str = " is still yours to write: ";
    let middle = text.find(MIDDLE)?;
    let begin = text[..middle].rfind("exercise ")?;
    let place = middle + MIDDLE.len();
    let end = text[place..].find(char::is_whitespace).map_or(text.len(), |length| place + length);
    Some(&text[begin..end])
}

/// The number of the exercise whose hole was met: `todo!("exercise 2.3, unpack: …")`.
pub fn exercise<'a>(info: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    let hole = info.payload_as_str()?.strip_prefix("not yet implemented: exercise ")?;
    hole.split(',').next()
}

/// To be called before a clone: from then on a child's panic is told to its parent. Everybody else's goes its usual way.
pub(crate) fn before_clone() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match CHANNEL.load(Ordering::Relaxed) {
            -1 => usual(info),
            channel => last_words(channel, info),
        }));
    });
}

/// To be called in the child, which from then on reports its panics there.
pub(crate) fn in_child(channel: i32) {
    CHANNEL.store(channel, Ordering::Relaxed);
}

fn last_words(channel: i32, info: &PanicHookInfo<'_>) -> ! {
    let mut words = Words { bytes: [0; LENGTH], length: 0 };
    // Too long a message is cut.
    let _ = describe(info, &mut words);
    let words = &words.bytes[..words.length];
    // As the container's init, a child has let go of the socket; then there is the container's own output.
    if report::send_panic(sys::still_open(channel), words).is_err() {
        let _ = rustix::io::write(rustix::stdio::stderr(), words);
        let _ = rustix::io::write(rustix::stdio::stderr(), b"\n");
    }
    sys::exit_now(128)
}

/// Text in a place of its own: between clone and exec nothing may be allocated.
struct Words {
    bytes: [u8; LENGTH],
    length: usize,
}

impl fmt::Write for Words {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.length..];
        let count = text.len().min(room.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.length += count;
        if count == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::todo)]
    use super::*;
    use std::fmt::Write as _;
    use std::os::fd::AsFd as _;

    #[test]
    fn a_childs_panic_reaches_its_parent() {
        let panics: [(fn(), &str); 2] = [
            (
                || todo!("exercise 1.4, reaper: reap"),
                "exercise 1.4 is still yours to write: solutions/01-process/src/unfinished.rs:",
            ),
            (|| panic!("an index {}", 7), "a defect: an index 7: solutions/01-process/src/unfinished.rs:"),
        ];
        for (panic, expected) in panics {
            let (ours, theirs) = report::channel().unwrap();
            before_clone();
            let cloned = sys::clone_into(0, None, || {
                in_child(std::os::fd::AsRawFd::as_raw_fd(&theirs));
                panic();
                sys::exit_now(0)
            });
            let cloned = cloned.unwrap();
            match report::receive(ours.as_fd()).unwrap() {
                report::Message::Panicked(words) => assert!(words.starts_with(expected), "{words}"),
                _ => panic!("the parent has to hear of it"),
            }
            nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(cloned.pid), None).unwrap();
        }
    }

    #[test]
    fn a_sentence_is_found_in_what_was_put_around_it() {
        let sentence = super::sentence;
        let told = "exercise 1.2 is still yours to write: chapters/01-process/src/namespaces.rs:95";
        assert_eq!(sentence(told), Some(told));
        let around =
            format!("kesako: Error response from daemon: {told}\n\nRun 'kesako run --help' for more information");
        assert_eq!(sentence(&around), Some(told));
        assert_eq!(sentence("an exercise is hard to write: x"), None);
    }

    #[test]
    fn too_many_words_are_cut() {
        let mut words = Words { bytes: [0; LENGTH], length: 0 };
        assert!(write!(words, "{}", "x".repeat(LENGTH + 1)).is_err());
        assert_eq!(words.length, LENGTH);
    }
}

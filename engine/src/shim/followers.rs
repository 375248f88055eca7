//! Those who follow the log (`logs -f`), and what they need of whoever writes it.
//!
//! A follower keeps open the file that it reads, so a rotation cannot take that one from it. It could take the next
//! ones, unread, when several rotations come faster than the follower wakes up. So the writer waits for it at each
//! rotation until it has opened the new file; but only for a moment, and only for followers that kept up so far.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long a container may be held up by all its followers together, at one rotation.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Followers {
    all: Vec<Follower>,
}

#[derive(Debug)]
struct Follower {
    socket: UnixStream,
    /// Rotations told, and not yet answered. Closed when it has gone.
    unanswered: Option<usize>,
}

impl Followers {
    /// From now on this one is told of each rotation by a byte, and answers with a byte. The end of the log is the end
    /// of the stream.
    pub(super) fn add(&mut self, socket: UnixStream) {
        self.all.push(Follower { socket, unanswered: Some(0) });
    }

    /// The log has a new file.
    pub(super) fn rotated(&mut self) {
        self.all.iter_mut().for_each(Follower::listen);
        // Who is late already has lost its right to be waited for, until it has caught up.
        let prompt: Vec<bool> = self.all.iter().map(|follower| follower.unanswered == Some(0)).collect();
        self.all.iter_mut().for_each(Follower::tell);
        let end = Instant::now() + PATIENCE;
        while let Some(follower) = waited_for(&mut self.all, &prompt) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            follower.wait(left);
        }
        self.all.retain(|follower| follower.unanswered.is_some());
    }
}

fn waited_for<'a>(all: &'a mut [Follower], prompt: &[bool]) -> Option<&'a mut Follower> {
    let mut both = all.iter_mut().zip(prompt);
    both.find(|(follower, prompt)| **prompt && follower.unanswered.is_some_and(|count| count > 0)).map(|(f, _)| f)
}

impl Follower {
    fn tell(&mut self) {
        self.unanswered = match (self.unanswered, self.socket.write(b"r")) {
            (Some(count), Ok(1)) => Some(count + 1),
            // So late that even the socket is full.
            (Some(count), Err(e)) if e.kind() == ErrorKind::WouldBlock => Some(count),
            _ => None,
        };
    }

    /// Takes the answers that have come.
    fn listen(&mut self) {
        let mut answers = [0; 64];
        self.unanswered = match (self.unanswered, self.socket.read(&mut answers)) {
            (Some(count), Ok(answered)) if answered > 0 => Some(count.saturating_sub(answered)),
            (Some(count), Err(e)) if e.kind() == ErrorKind::WouldBlock => Some(count),
            _ => None,
        };
    }

    fn wait(&mut self, left: Duration) {
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        // Interrupted or not, the answer is looked for.
        let _count = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&timeout));
        self.listen();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        (ours, theirs)
    }

    #[test]
    fn a_prompt_follower_is_waited_for_and_a_late_one_only_once() {
        let (mut prompt, theirs) = pair();
        let (_late, silent) = pair();
        let mut followers = Followers::default();
        followers.add(theirs);
        followers.add(silent);
        let answering = std::thread::spawn(move || {
            let mut byte = [0];
            for _ in 0..3 {
                prompt.read_exact(&mut byte).unwrap();
                prompt.write_all(&byte).unwrap();
            }
        });
        let begin = Instant::now();
        for _ in 0..3 {
            followers.rotated();
        }
        assert!(begin.elapsed() >= PATIENCE && begin.elapsed() < PATIENCE * 3, "{:?}", begin.elapsed());
        answering.join().unwrap();
    }

    #[test]
    fn one_that_has_gone_is_forgotten() {
        let (gone, theirs) = pair();
        let mut followers = Followers::default();
        followers.add(theirs);
        drop(gone);
        followers.rotated();
        assert!(followers.all.is_empty());
    }
}

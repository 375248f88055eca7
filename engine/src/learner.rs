//! The runtime on a learner's own chapters: which these are, and what happens where an exercise is still open.
//!
//! The hole of an exercise is a `todo!()`, so meeting one is a panic; and a release build does not unwind. What is told of
//! it instead of a backtrace goes to whoever is there to read: the terminal; as a shim, whoever waits for the start, or, once
//! that is answered, whoever waits for the end. (Between clone and exec, [`process::unfinished`] sees to it.)

use crate::shim;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// In a container's run folder: what its shim said when it panicked.
const LAST_WORDS: &str = "last-words";

/// Who hears of a panic in a shim.
#[derive(Debug)]
pub(crate) enum Listener {
    Start(UnixStream),
    /// The container's run folder.
    End(PathBuf),
}

static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

/// From now on this process is a shim, and this is where its panics go.
pub(crate) fn tell_panics_to(listener: Option<Listener>) {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = listener;
}

/// To be called once, before anything could panic.
pub(crate) fn tell_what_is_unfinished() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let listener = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).take();
        if listener.is_none() && process::unfinished::exercise(info).is_none() {
            return usual(info);
        }
        let mut words = String::new();
        // A String takes everything.
        let _ = process::unfinished::describe(info, &mut words);
        match listener {
            // Who is not there to listen need not be told.
            Some(Listener::Start(report)) => drop(shim::refuse(report, &words)),
            Some(Listener::End(run)) => drop(std::fs::write(run.join(LAST_WORDS), words)),
            None => eprintln!("{words}"),
        }
        std::process::exit(125)
    }));
}

/// What a dead shim has left to say.
pub(crate) fn last_words(run: &Path) -> Option<String> {
    std::fs::read_to_string(run.join(LAST_WORDS)).ok()
}

/// `chapters 1, 2: yours`; nothing if all are the reference's.
pub(crate) fn chapters() -> Option<String> {
    told(&[process::PACKAGE, layers::PACKAGE])
}

fn told(packages: &[&str]) -> Option<String> {
    let numbers: Vec<_> = packages.iter().filter_map(|package| package.strip_prefix("chapter-")).collect();
    match numbers.as_slice() {
        [] => None,
        [number] => Some(format!("chapter {number}: yours")),
        numbers => Some(format!("chapters {}: yours", numbers.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_chapters() {
        assert_eq!(told(&["solution-1", "solution-2"]), None);
        assert_eq!(told(&["solution-1", "chapter-2"]).as_deref(), Some("chapter 2: yours"));
        assert_eq!(told(&["chapter-1", "chapter-2"]).as_deref(), Some("chapters 1, 2: yours"));
    }
}

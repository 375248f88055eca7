//! The runtime on a learner's own chapters: which these are, and what happens where an exercise is still open.
//!
//! The hole of an exercise is a `todo!()`, so meeting one is a panic; and a release build does not unwind. One hook, set first
//! thing in every process, makes a sentence of it and gives it to whoever waits: as a shim, to whoever waits for the start, or,
//! once that is answered, to whoever asks for the end; as a server, in a process of its own or not, to whoever made the
//! request; else to the terminal. (Between clone and exec, [`process::unfinished`] sees to it.)

use crate::{Error, Kind, Result, shim};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// In a container's run folder: what its shim said when it panicked.
const LAST_WORDS: &str = "last-words";

/// How long a process that must end gives its other threads to pass on why.
const FAREWELL: Duration = Duration::from_secs(1);

/// Who hears of a panic in a shim.
#[derive(Debug)]
pub(crate) enum Listener {
    Start(UnixStream),
    /// The container's run folder.
    End(PathBuf),
}

static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

/// A request that is being worked on, and how to answer it from elsewhere.
struct Request {
    number: u64,
    refuse: Box<dyn FnOnce(String) + Send>,
}

#[derive(Default)]
struct Requests {
    begun: u64,
    open: Vec<Request>,
    /// What the last of them to panic has met.
    met: Option<String>,
}

static REQUESTS: Mutex<Requests> = Mutex::new(Requests { begun: 0, open: Vec::new(), met: None });

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on this process is a shim, and this is where its panics go.
pub(crate) fn tell_panics_to(listener: Option<Listener>) {
    *locked(&LISTENER) = listener;
}

/// To be called once, before anything could panic.
pub(crate) fn tell_what_is_unfinished() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let mut words = String::new();
        // A String takes everything.
        let _ = process::unfinished::describe(info, &mut words);
        let listener = locked(&LISTENER).take();
        let exercise = process::unfinished::exercise(info).is_some();
        if listener.is_none() && !exercise && !(is_handed_on(info) && exercise_met().is_some()) {
            usual(info);
        }
        match listener {
            // Who is not there to listen need not be told.
            Some(Listener::Start(report)) => drop(shim::refuse(report, &words)),
            Some(Listener::End(run)) => drop(std::fs::write(run.join(LAST_WORDS), words)),
            None if refuse_requests(info, &words) => return,
            None if exercise => eprintln!("{words}"),
            None => return,
        }
        std::process::exit(125)
    }));
}

/// Whether a thread only hands on what another has met, which has told it: this is what `std::thread::scope` says.
fn is_handed_on(info: &PanicHookInfo<'_>) -> bool {
    info.payload_as_str() == Some("a scoped thread panicked")
}

/// Sees to it that the requests in work hear of this. False if there are none.
fn refuse_requests(info: &PanicHookInfo<'_>, words: &str) -> bool {
    let mut requests = locked(&REQUESTS);
    if requests.open.is_empty() {
        return false;
    }
    if cfg!(panic = "unwind") {
        if !is_handed_on(info) {
            requests.met = Some(words.to_owned());
        }
        return true;
    }
    // All of them end with this process, whichever it was.
    let open = std::mem::take(&mut requests.open);
    drop(requests);
    open.into_iter().for_each(|request| (request.refuse)(words.to_owned()));
    std::thread::sleep(FAREWELL);
    false
}

/// Does the work of a request. A panic in it, or in the threads that it waits for, is an error of this request alone; where
/// panics do not unwind, the process ends, but `refuse` is called before.
pub fn answering<T>(refuse: impl FnOnce(String) + Send + 'static, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut requests = locked(&REQUESTS);
    requests.begun += 1;
    let number = requests.begun;
    requests.open.push(Request { number, refuse: Box::new(refuse) });
    drop(requests);
    // What it leaves half done is on disk, where every lock ends with its holder.
    let done = catch_unwind(AssertUnwindSafe(work));
    let mut requests = locked(&REQUESTS);
    requests.open.retain(|request| request.number != number);
    let met = || requests.met.clone().unwrap_or_else(|| "a defect".to_owned());
    done.unwrap_or_else(|_| Err(Error::new(Kind::System, met())))
}

/// The exercise that the last panic was, in a process that is [`answering`].
pub fn exercise_met() -> Option<String> {
    unfinished(locked(&REQUESTS).met.as_ref()?).map(str::to_owned)
}

/// What a dead shim has left to say.
pub(crate) fn last_words(run: &Path) -> Option<String> {
    std::fs::read_to_string(run.join(LAST_WORDS)).ok()
}

/// The sentence on an open exercise within a text, without what was put around it on its way.
pub fn unfinished(text: &str) -> Option<&str> {
    process::unfinished::sentence(text)
}

/// Which of the chapters that the engine is built on are the learner's.
pub(crate) fn chapters() -> Option<String> {
    let all = [
        process::PACKAGE,
        layers::PACKAGE,
        build::PACKAGE,
        network::PACKAGE,
        volumes::PACKAGE,
        registry::PACKAGE,
        multi_stage::PACKAGE,
    ];
    yours(&all)
}

/// `chapters 1, 2: yours`; nothing if all of these packages are the reference's.
pub fn yours(packages: &[&str]) -> Option<String> {
    let numbers: Vec<_> = packages.iter().filter_map(|package| package.strip_prefix("chapter-")).collect();
    match numbers.as_slice() {
        [] => None,
        [number] => Some(format!("chapter {number}: yours")),
        numbers => Some(format!("chapters {}: yours", numbers.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::todo)]
    use super::*;

    #[test]
    fn whose_chapters() {
        assert_eq!(yours(&["solution-1", "solution-2"]), None);
        assert_eq!(yours(&["solution-1", "chapter-2"]).as_deref(), Some("chapter 2: yours"));
        assert_eq!(yours(&["chapter-1", "chapter-2", "solution-3"]).as_deref(), Some("chapters 1, 2: yours"));
    }

    #[test]
    fn a_request_that_meets_an_exercise_is_refused_with_it() {
        tell_what_is_unfinished();
        let hole = || -> Result<()> { todo!("exercise 9.1, answer: say it") };
        let behind_threads = || {
            std::thread::scope(|scope| drop(scope.spawn(hole)));
            Ok(())
        };
        for work in [&hole as &dyn Fn() -> Result<()>, &behind_threads] {
            let error = answering(|_| {}, work).unwrap_err();
            let expected = "exercise 9.1 is still yours to write: engine/src/learner.rs:";
            assert!(error.message.starts_with(expected), "{error}");
        }
        assert!(locked(&REQUESTS).open.is_empty());
        answering(|_| {}, || Ok(())).unwrap();
    }
}

//! Building stages at the same time.
//!
//! A stage begins when the stage of its FROM is built. What it copies from may still be under way then: it waits where it
//! needs it ([`Others::get`]), and lets another go on meanwhile.
//!
//! Nobody waits in a circle, because a stage needs only stages above it in the file. Of what is ready the uppermost begins
//! first; so the uppermost stage that is not built yet is either under way, and finds all that it asks for, or is the next
//! to begin.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What has to be built: each stage by its number, and the one it is built `FROM`, if that is a stage.
pub type Needed = BTreeMap<usize, Option<usize>>;

/// So many stages at most are begun and not built, most of them waiting: each is a thread.
const MOST_BEGUN: usize = 64;

/// Why not everything was built.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure<E> {
    /// This stage failed, before any other did.
    Stage(usize, E),
    /// These wait for each other, or for something that nobody builds.
    Stuck(Vec<usize>),
    /// No thread could be had.
    Thread(io::ErrorKind),
}

/// A stage that was asked for will not be there: another one failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Stopped;

/// Builds every stage once, on threads of their own of which at most `at_once` work. `build` gets the number of the stage,
/// and the way to the results of others. When a stage fails, no other begins, `stop` is called for those that are under way,
/// and the failure is returned when all have ended.
///
/// # Errors
/// The first [`Failure`].
pub fn run<T, E>(
    needed: &Needed,
    at_once: usize,
    stop: &(dyn Fn() + Sync),
    build: impl Fn(usize, &Others<'_, T>) -> Result<T, E> + Sync,
) -> Result<BTreeMap<usize, Arc<T>>, Failure<E>>
where
    T: Send + Sync,
    E: Send,
{
    let site = Site::new(needed, at_once);
    let failed = Mutex::new(None);
    // The first who comes is the one who is heard.
    let fail = |failure| {
        if site.stop() {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            stop();
        }
    };
    let work = |stage| {
        let _leaving = Leaving { site: &site };
        match build(stage, &Others { site: &site, stage }) {
            Ok(result) => site.finish(stage, result),
            Err(error) => fail(Failure::Stage(stage, error)),
        }
    };
    thread::scope(|scope| {
        let work = &work;
        let mut threads = Vec::new();
        loop {
            match site.next() {
                Next::Begin(stage) => match thread::Builder::new().spawn_scoped(scope, move || work(stage)) {
                    Ok(thread) => threads.push(thread),
                    Err(error) => break fail(Failure::Thread(error.kind())),
                },
                Next::Stuck(stages) => break fail(Failure::Stuck(stages)),
                Next::Over => break,
            }
        }
        for thread in threads {
            // What a thread panicked for goes on here, as what it is.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(site.state.into_inner().unwrap_or_else(PoisonError::into_inner).built),
        Some(failure) => Err(failure),
    }
}

/// Of the stages that are left, which were not begun yet, those that can begin now: the uppermost first, and not more than
/// there is `room` for. A stage can begin if it is built from one that is `built`, or from none. What it copies from others
/// is no reason to wait: it may have a lot to do before.
pub fn ready<T>(left: &Needed, built: &BTreeMap<usize, T>, room: usize) -> Vec<usize> {
    // exercise: 7.4 ready: the stages that can begin now
    todo!("exercise 7.4, ready: the stages that can begin now")
    // end exercise
}

/// What all threads of a build share.
struct Site<T> {
    at_once: usize,
    state: Mutex<State<T>>,
    /// Something in `state` is not as it was.
    changed: Condvar,
}

struct State<T> {
    /// Not begun.
    left: Needed,
    begun: BTreeSet<usize>,
    built: BTreeMap<usize, Arc<T>>,
    /// Who waits for whom.
    waiting: BTreeMap<usize, usize>,
    stopped: bool,
}

/// What the one thread that begins stages has to do.
enum Next {
    Begin(usize),
    Stuck(Vec<usize>),
    Over,
}

impl<T> State<T> {
    /// How many are under way, and do not wait.
    fn working(&self) -> usize {
        self.begun.len() - self.waiting.len()
    }

    /// How many may begin.
    fn room(&self, at_once: usize) -> usize {
        at_once.saturating_sub(self.working()).min(MOST_BEGUN.saturating_sub(self.begun.len()))
    }

    fn is_stuck(&self) -> bool {
        self.working() == 0 && !self.waiting.values().any(|stage| self.built.contains_key(stage))
    }
}

impl<T> Site<T> {
    fn new(needed: &Needed, at_once: usize) -> Self {
        let state = State {
            left: needed.clone(),
            begun: BTreeSet::new(),
            built: BTreeMap::new(),
            waiting: BTreeMap::new(),
            stopped: false,
        };
        Self { at_once: at_once.max(1), state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until there is something to do for who begins stages.
    fn next(&self) -> Next {
        let mut state = self.lock();
        loop {
            if state.stopped || (state.left.is_empty() && state.begun.is_empty()) {
                return Next::Over;
            }
            let ready = ready(&state.left, &state.built, state.room(self.at_once));
            if let Some(stage) = ready.first()
                && state.left.remove(stage).is_some()
            {
                state.begun.insert(*stage);
                return Next::Begin(*stage);
            }
            if state.is_stuck() {
                return Next::Stuck(state.begun.iter().chain(state.left.keys()).copied().collect());
            }
            state = self.wait(state);
        }
    }

    fn finish(&self, stage: usize, result: T) {
        let mut state = self.lock();
        state.begun.remove(&stage);
        state.built.insert(stage, Arc::new(result));
        self.changed.notify_all();
    }

    /// Lets nothing begin any more, and nobody wait. Whether this was the first to say so.
    fn stop(&self) -> bool {
        let mut state = self.lock();
        self.changed.notify_all();
        !std::mem::replace(&mut state.stopped, true)
    }
}

/// The way of a stage to the results of those that it needs.
pub struct Others<'a, T> {
    site: &'a Site<T>,
    stage: usize,
}

impl<T> Others<'_, T> {
    /// What another stage became: waits until it is built.
    ///
    /// # Errors
    /// [`Stopped`]
    pub fn get(&self, stage: usize) -> Result<Arc<T>, Stopped> {
        let mut state = self.site.lock();
        if let (Some(result), false) = (state.built.get(&stage), state.stopped) {
            return Ok(Arc::clone(result));
        }
        // Who waits leaves room for another.
        state.waiting.insert(self.stage, stage);
        self.site.changed.notify_all();
        let result = loop {
            if state.stopped {
                break Err(Stopped);
            }
            match state.built.get(&stage) {
                Some(result) if state.working() < self.site.at_once => break Ok(Arc::clone(result)),
                _ => state = self.site.wait(state),
            }
        };
        state.waiting.remove(&self.stage);
        result
    }
}

/// Sees to it that nobody waits for ever for a stage that panicked.
struct Leaving<'a, T> {
    site: &'a Site<T>,
}

impl<T> Drop for Leaving<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.site.stop();
        }
    }
}

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
    let mut ready = Vec::new();
    for (stage, from) in left {
        if ready.len() == room {
            break;
        }
        if from.is_none_or(|from| built.contains_key(&from)) {
            ready.push(*stage);
        }
    }
    ready
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    const NOTHING: &(dyn Fn() + Sync) = &|| {};

    /// Stages each of which is built from one above or from none, and copies from some above.
    #[derive(Clone, Debug)]
    struct Plan {
        needed: Needed,
        copies: BTreeMap<usize, Vec<usize>>,
        at_once: usize,
    }

    fn plan() -> impl Strategy<Value = Plan> {
        // Of each stage: its FROM and its copies, as fractions of how many stand above it; and whether it is needed at all.
        let stage = (any::<bool>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..4));
        (prop::collection::vec(stage, 0..24), 1..5_usize).prop_map(|(stages, at_once)| {
            let mut plan = Plan { needed: Needed::new(), copies: BTreeMap::new(), at_once };
            for (number, (based, from, copies)) in stages.into_iter().enumerate() {
                // Numbers need not be dense: every third stage of the file is not needed.
                let above: Vec<usize> = plan.needed.keys().copied().collect();
                let pick = |fraction: u8| above.get(usize::from(fraction) * above.len() / 256).copied();
                let copies = copies.into_iter().filter_map(pick).collect();
                plan.needed.insert(number + number / 3, pick(from).filter(|_| based));
                plan.copies.insert(number + number / 3, copies);
            }
            plan
        })
    }

    proptest! {
        #[test]
        fn everything_once_and_after_what_it_needs(plan in plan()) {
            let order = Mutex::new(Vec::new());
            let (working, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let results = run(&plan.needed, plan.at_once, NOTHING, |stage, others| {
                most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::yield_now();
                for copy in &plan.copies[&stage] {
                    working.fetch_sub(1, Ordering::SeqCst);
                    assert_eq!(*others.get(*copy).unwrap(), copy * 10);
                    working.fetch_add(1, Ordering::SeqCst);
                }
                order.lock().unwrap().push(stage);
                working.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, ()>(stage * 10)
            }).unwrap();
            prop_assert_eq!(results.keys().collect::<Vec<_>>(), plan.needed.keys().collect::<Vec<_>>());
            prop_assert!(most.into_inner() <= plan.at_once);
            let order = order.into_inner().unwrap();
            prop_assert_eq!(order.len(), plan.needed.len());
            let place = |stage| order.iter().position(|other| *other == stage);
            for (stage, from) in &plan.needed {
                for other in from.iter().chain(&plan.copies[stage]) {
                    prop_assert!(place(*other) < place(*stage), "{} before {}: {:?}", other, stage, order);
                }
            }
        }

        #[test]
        fn a_failure_is_told_and_nothing_built_on_it_begins(plan in plan(), broken in 0..24_usize) {
            let begun = Mutex::new(BTreeSet::new());
            let stopped = AtomicUsize::new(0);
            let stop = || assert_eq!(stopped.fetch_add(1, Ordering::SeqCst), 0);
            let result = run(&plan.needed, plan.at_once, &stop, |stage, others| {
                assert!(begun.lock().unwrap().insert(stage));
                for copy in &plan.copies[&stage] {
                    others.get(*copy).map_err(|Stopped| "stopped")?;
                }
                if stage == broken { Err("broken") } else { Ok(()) }
            });
            if !plan.needed.contains_key(&broken) {
                prop_assert!(result.is_ok() && stopped.into_inner() == 0);
            } else {
                prop_assert_eq!(result.err(), Some(Failure::Stage(broken, "broken")));
                prop_assert_eq!(stopped.into_inner(), 1);
                let begun = begun.into_inner().unwrap();
                prop_assert!(begun.iter().all(|stage| plan.needed[stage] != Some(broken)));
            }
        }
    }

    fn needed<const N: usize>(stages: [(usize, Option<usize>); N]) -> Needed {
        stages.into_iter().collect()
    }

    #[test]
    fn what_does_not_depend_on_each_other_is_built_at_the_same_time() {
        let (send, receive) = mpsc::channel();
        let receive = Mutex::new(Some(receive));
        let result = run(&needed([(0, None), (1, None)]), 2, NOTHING, |stage, _| match stage {
            0 => {
                let receive = receive.lock().unwrap().take().unwrap();
                receive.recv_timeout(Duration::from_secs(20)).map_err(|_| "the other does not begin")
            }
            _ => send.send(()).map_err(|_| "nobody waits"),
        });
        assert_eq!(result.map(|results| results.len()), Ok(2));
    }

    #[test]
    fn who_waits_leaves_its_place_to_another() {
        // 3 begins with 0, and waits for 2, which can begin only after 0 and 1 (one place is 3's, until it waits).
        let stages = needed([(0, None), (1, Some(0)), (2, Some(1)), (3, None)]);
        let result = run(&stages, 2, NOTHING, |stage, others| match stage {
            0 => {
                thread::sleep(Duration::from_millis(20));
                Ok::<_, ()>(())
            }
            3 => others.get(2).map(drop).map_err(|_| ()),
            _ => Ok(()),
        });
        assert_eq!(result.map(|results| results.len()), Ok(4));
    }

    #[test]
    fn a_circle_is_noticed_and_does_not_hang() {
        let circle = |stage, others: &Others<'_, ()>| match stage {
            0 => others.get(1).map(drop),
            1 => others.get(0).map(drop),
            _ => Ok(()),
        };
        let result = run(&needed([(0, None), (1, None), (2, None)]), 2, NOTHING, circle);
        assert_eq!(result, Err(Failure::Stuck(vec![0, 1])));
        // Of itself, of one that nobody builds, and built from one that nobody builds.
        let result = run(&needed([(0, None)]), 1, NOTHING, |_, others: &Others<'_, ()>| others.get(0).map(drop));
        assert_eq!(result, Err(Failure::Stuck(vec![0])));
        let result = run(&needed([(0, None)]), 1, NOTHING, |_, others: &Others<'_, ()>| others.get(7).map(drop));
        assert_eq!(result, Err(Failure::Stuck(vec![0])));
        let result = run(&needed([(0, Some(7))]), 1, NOTHING, |_, _| Ok::<_, ()>(()));
        assert_eq!(result, Err(Failure::Stuck(vec![0])));
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let panics = std::panic::catch_unwind(|| {
            run(&needed([(0, None), (1, None)]), 2, NOTHING, |stage, others| match stage {
                0 => panic!("as an open exercise does"),
                _ => others.get(0).map(drop),
            })
        });
        assert!(panics.is_err());
    }

    #[test]
    fn thousands_that_wait_are_not_thousands_of_threads() {
        let stages: Needed = (0..5000).map(|stage| (stage, None)).collect();
        let (begun, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let result = run(&stages, 1000, NOTHING, |stage, others| {
            most.fetch_max(begun.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if stage > 0 {
                others.get(stage - 1)?;
            }
            begun.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Stopped>(())
        });
        assert_eq!(result.map(|results| results.len()), Ok(5000));
        assert!(most.into_inner() <= MOST_BEGUN);
    }
}

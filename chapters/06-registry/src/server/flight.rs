//! Twenty machines ask for the same image in the same second: it is fetched once, and nineteen wait for the one who
//! does.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What is being fetched, by what it is.
#[derive(Debug)]
pub struct Flights<K, T> {
    open: Mutex<HashMap<K, Arc<Flight<T>>>>,
}

#[derive(Debug)]
struct Flight<T> {
    landed: Mutex<Landed<T>>,
    changed: Condvar,
}

#[derive(Debug)]
enum Landed<T> {
    NotYet,
    With(T),
    /// Whoever did it has panicked.
    Never,
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Flights<K, T> {
    /// Does the work, or waits for who is doing it for the same key and takes what they got.
    ///
    /// What is being done stands in `self.open`, by its key, as a `Flight`. (`locked`, below, locks it.)
    ///
    /// * Who finds none for their key is the first. They put one there, take its `landing`, do the work, and give what came of
    ///   it to `Landing::with`, which gives it back: that takes the flight out of `open`, and wakes up who waits. The landing
    ///   comes before the work, for if that panics, it is dropped, and wakes them up with nothing.
    /// * Who finds one waits: `Flight::wait` returns what came of it. With `None`, its work has panicked. Then all begins anew,
    ///   and somebody has to be the first again.
    ///
    /// Between looking and putting a flight there `open` stays locked, or two are the first. But nobody who works or waits has it
    /// locked: work for other keys goes on at the same time. And who asks when the work is done begins anew: what was got then
    /// may be old.
    pub fn join(&self, key: &K, work: impl FnOnce() -> T) -> T {
        // exercise: 6.7 join: the first one works, and all others wait
        todo!("exercise 6.7, join: the first one works, and all others wait")
        // end exercise
    }
}

impl<T> Default for Flight<T> {
    fn default() -> Self {
        Self { landed: Mutex::new(Landed::NotYet), changed: Condvar::new() }
    }
}

impl<T: Clone> Flight<T> {
    fn wait(&self) -> Option<T> {
        let mut landed = locked(&self.landed);
        loop {
            match &*landed {
                Landed::NotYet => landed = self.changed.wait(landed).unwrap_or_else(PoisonError::into_inner),
                Landed::With(got) => return Some(got.clone()),
                Landed::Never => return None,
            }
        }
    }

    fn landing<'f, K: Eq + Hash>(&'f self, flights: &'f Flights<K, T>, key: &'f K) -> Landing<'f, K, T> {
        Landing { flights, key, flight: self, with: None }
    }
}

/// Dropped when the work is over, however it ended: nobody may wait for ever.
struct Landing<'f, K: Eq + Hash, T> {
    flights: &'f Flights<K, T>,
    key: &'f K,
    flight: &'f Flight<T>,
    with: Option<T>,
}

impl<K: Eq + Hash, T: Clone> Landing<'_, K, T> {
    fn with(mut self, got: T) -> T {
        self.with = Some(got.clone());
        got
    }
}

impl<K: Eq + Hash, T> Drop for Landing<'_, K, T> {
    fn drop(&mut self) {
        locked(&self.flights.open).remove(self.key);
        *locked(&self.flight.landed) = self.with.take().map_or(Landed::Never, Landed::With);
        self.flight.changed.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

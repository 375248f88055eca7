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
    /// Does the work, or waits for who is doing it for the same key and takes what they got. Work for other keys goes
    /// on at the same time; and who asks when it is done begins anew.
    pub fn join(&self, key: &K, work: impl FnOnce() -> T) -> T {
        let mut work = Some(work);
        loop {
            let (flight, first) = {
                let mut open = locked(&self.open);
                match open.get(key) {
                    Some(flight) => (flight.clone(), false),
                    None => {
                        let flight = Arc::new(Flight { landed: Mutex::new(Landed::NotYet), changed: Condvar::new() });
                        open.insert(key.clone(), flight.clone());
                        (flight, true)
                    }
                }
            };
            if first && let Some(work) = work.take() {
                let mut landing = Landing { flights: self, key, flight: &flight, with: None };
                let got = work();
                landing.with = Some(got.clone());
                return got;
            }
            if let Some(got) = flight.wait() {
                return got;
            }
        }
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
}

/// Dropped when the work is over, however it ended: nobody may wait for ever.
struct Landing<'f, K: Eq + Hash, T> {
    flights: &'f Flights<K, T>,
    key: &'f K,
    flight: &'f Flight<T>,
    with: Option<T>,
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

//! 6.7: many want the same at once, and one fetches it.

use super::expect::expect;
use registry::server::Flights;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

const READ: &str =
    "Read: pkg.go.dev/golang.org/x/sync/singleflight, and std::sync::MutexGuard on when a lock is given back.";

#[test]
fn one_works_and_all_have_it() {
    let (flights, done) = (Flights::<&str, usize>::default(), AtomicUsize::new(0));
    let together = Barrier::new(20);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                together.wait();
                let got = flights.join(&"layer", || {
                    thread::sleep(Duration::from_millis(100));
                    done.fetch_add(1, Ordering::SeqCst) + 1
                });
                expect(got, 1, "who waits is given what the first one got");
            });
        }
    });
    let why = "twenty ask for the same in the same moment: so often it was fetched. Between looking for a flight and putting one \
               there, nobody else may look";
    expect(done.into_inner(), 1, &format!("{why}. {READ}"));
}

#[test]
fn another_key_does_not_wait() {
    let flights = Arc::new(Flights::<&str, ()>::default());
    let (begun, is_begun) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let slow = flights.clone();
    let slow = thread::spawn(move || {
        slow.join(&"slow", || {
            begun.send(()).unwrap();
            ended.recv().unwrap();
        })
    });
    is_begun.recv().unwrap();
    let (told, is_told) = mpsc::channel();
    thread::spawn(move || flights.join(&"other", || told.send(()).unwrap()));
    let told = is_told.recv_timeout(Duration::from_secs(5));
    let why = "is `open` still locked while the work is done? Only work for the same key waits";
    assert!(
        told.is_ok(),
        "\nexpected: another key is fetched while \"slow\" is\nfound:    it waits for \"slow\"\n{why}. {READ}\n"
    );
    end.send(()).unwrap();
    slow.join().unwrap();
}

#[test]
fn who_comes_later_begins_anew() {
    let flights = Flights::<u8, u8>::default();
    let why = "the work for it is over, and what was got then may be old: a tag may mean something else by now. Whoever asks now \
               begins anew";
    expect(flights.join(&1, || 1), 1, "the first one does the work");
    expect(flights.join(&1, || 2), 2, &format!("{why}. {READ}"));
}

#[test]
fn nobody_waits_for_one_who_panicked() {
    let flights = Arc::new(Flights::<u8, u8>::default());
    let (begun, is_begun) = mpsc::channel();
    let first = flights.clone();
    let first = thread::spawn(move || {
        first.join(&1, || {
            begun.send(()).unwrap();
            thread::sleep(Duration::from_millis(100));
            panic!("as this test wants it")
        })
    });
    is_begun.recv().unwrap();
    let (told, is_told) = mpsc::channel();
    thread::spawn(move || told.send(flights.join(&1, || 7)).unwrap());
    let told = is_told
        .recv_timeout(Duration::from_secs(5))
        .map_or_else(|_| "it waits for ever".to_owned(), |got| got.to_string());
    let why = "the work that the second one waits for has panicked: nothing came of it, so the second one does it";
    expect(told, "7".to_owned(), &format!("{why}. {READ}"));
    first.join().unwrap_err();
}

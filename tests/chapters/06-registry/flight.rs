//! 6.7: many want the same at once, and one fetches it.

use super::expect::expect;
use registry::server::Flights;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

const READ: &str =
    "Read: pkg.go.dev/golang.org/x/sync/singleflight, and std::sync::MutexGuard on when a lock is given back.";

/// Longer than anything here takes; who has not come back then waits for ever.
const PATIENCE: Duration = Duration::from_secs(5);

const LOCKED: &str =
    "is `open` still locked while somebody works, or waits? `Landing` needs it, too, to take the flight out";

#[test]
fn one_works_and_all_have_it() {
    let (flights, done) = (Arc::new(Flights::<&str, usize>::default()), Arc::new(AtomicUsize::new(0)));
    let together = Arc::new(Barrier::new(20));
    let (tell, told) = mpsc::channel();
    for _ in 0..20 {
        let (flights, done, together, tell) = (flights.clone(), done.clone(), together.clone(), tell.clone());
        thread::spawn(move || {
            together.wait();
            let got = flights.join(&"layer", || {
                thread::sleep(Duration::from_millis(100));
                done.fetch_add(1, Ordering::SeqCst) + 1
            });
            tell.send(got).unwrap();
        });
    }
    drop(tell);
    let got: Vec<usize> = (0..20).map_while(|_| told.recv_timeout(PATIENCE).ok()).collect();
    expect(got.len(), 20, &format!("of twenty who asked for the same, so many have it: {LOCKED}. {READ}"));
    let why = "twenty ask for the same in the same moment: so often it was fetched. Between looking for a flight and putting one \
               there, nobody else may look";
    expect(done.load(Ordering::SeqCst), 1, &format!("{why}. {READ}"));
    assert!(
        got.iter().all(|got| *got == 1),
        "\nexpected: twenty times 1\nfound:    {got:?}\nwho waits is given what the first one got\n"
    );
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
    let told = is_told.recv_timeout(PATIENCE);
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
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for number in 1..=2 {
            tell.send(flights.join(&1, || number)).unwrap();
        }
    });
    let told = || told.recv_timeout(PATIENCE).map_or_else(|_| "it waits for ever".to_owned(), |got| got.to_string());
    expect(told(), "1".to_owned(), &format!("the first one does the work, and comes back: {LOCKED}. {READ}"));
    let why = "the work for it is over, and what was got then may be old: a tag may mean something else by now. Whoever asks now \
               begins anew";
    expect(told(), "2".to_owned(), &format!("{why}. {READ}"));
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
    let told = is_told.recv_timeout(PATIENCE).map_or_else(|_| "it waits for ever".to_owned(), |got| got.to_string());
    let why = "the work that the second one waits for has panicked: nothing came of it, so the second one does it";
    expect(told, "7".to_owned(), &format!("{why}. {READ}"));
    first.join().unwrap_err();
}

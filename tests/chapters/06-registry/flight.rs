//! Many want the same at once, and one fetches it.

use registry::server::Flights;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

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
                assert_eq!(got, 1);
            });
        }
    });
    assert_eq!(done.into_inner(), 1, "twenty asked, and it was fetched so often");
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
    is_told.recv_timeout(Duration::from_secs(5)).expect("work for another key waits for \"slow\"");
    end.send(()).unwrap();
    slow.join().unwrap();
}

#[test]
fn who_comes_later_begins_anew() {
    let flights = Flights::<u8, u8>::default();
    assert_eq!((flights.join(&1, || 1), flights.join(&1, || 2)), (1, 2), "what was got then may be old");
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
    assert_eq!(is_told.recv_timeout(Duration::from_secs(5)).expect("the second waits for ever"), 7);
    first.join().unwrap_err();
}

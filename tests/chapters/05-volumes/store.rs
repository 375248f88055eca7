//! The store: no exercise is in it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Barrier;
use volumes::{Error, NewVolume, Store, VolumeName};

fn name(text: &str) -> VolumeName {
    VolumeName::parse(text).unwrap()
}

fn store() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    (root, store)
}

fn nobody() -> Result<Vec<String>, Error> {
    Ok(Vec::new())
}

#[test]
fn a_volume_is_made_found_listed_and_removed() {
    let (root, store) = store();
    assert!(store.list().unwrap().is_empty());
    let labels = Some(BTreeMap::from([("tier".to_owned(), "data".to_owned())]));
    let (held, made) = store.hold_or_make(&name("db"), &NewVolume { labels, ..NewVolume::default() }).unwrap();
    assert!(made);
    assert_eq!(held.volume.mountpoint(), root.path().join("volumes/db/_data"));
    assert!(held.volume.is_empty());
    drop(held);
    let (_held, made) = store.hold_or_make(&name("db"), &NewVolume::default()).unwrap();
    assert!(!made, "the second one asks for what is there");

    let volume = store.get("db").unwrap();
    assert_eq!((volume.driver.as_str(), volume.labels.unwrap()["tier"].as_str()), ("local", "data"));
    assert_eq!(store.list().unwrap().len(), 1);
    drop(_held);
    store.remove("db", nobody).unwrap();
    assert_eq!(store.get("db").unwrap_err().to_string(), "get db: no such volume");
    assert_eq!(fs::read_dir(root.path().join("volumes")).unwrap().count(), 0, "nothing of it is left");
}

#[test]
fn no_name_leads_out_of_the_store() {
    let (root, store) = store();
    fs::create_dir_all(root.path().join("volumes")).unwrap();
    fs::create_dir_all(root.path().join("elsewhere/_data")).unwrap();
    fs::write(root.path().join("elsewhere/volume.json"), "{\"Name\":\"x\",\"Driver\":\"local\",\"CreatedAt\":\"\"}")
        .unwrap();
    for bad in ["../elsewhere", "/elsewhere", ".", "..", "", "a/b"] {
        assert_eq!(store.get(bad).unwrap_err().to_string(), format!("get {bad}: no such volume"));
        assert!(matches!(store.remove(bad, nobody), Err(Error::NoSuchVolume(_))), "{bad}");
    }
    assert!(root.path().join("elsewhere/_data").exists());
}

#[test]
fn what_is_used_stays() {
    let (_root, store) = store();
    drop(store.hold_or_make(&name("db"), &NewVolume::default()).unwrap());
    let users = || Ok::<_, Error>(vec!["c1".to_owned(), "c2".to_owned()]);
    let refusal = store.remove("db", users).unwrap_err();
    assert_eq!(refusal.to_string(), "remove db: volume is in use - [c1, c2]");
    assert!(store.get("db").is_ok());
}

#[test]
fn who_removes_waits_for_who_is_about_to_use_it() {
    let (_root, store) = store();
    let (held, _) = store.hold_or_make(&name("db"), &NewVolume::default()).unwrap();
    let users = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let removal = scope.spawn(|| store.remove("db", || Ok::<_, Error>(users.lock().unwrap().clone())));
        std::thread::sleep(std::time::Duration::from_millis(50));
        // The container is written down, and only then is the volume let go of.
        users.lock().unwrap().push("c1".to_owned());
        drop(held);
        assert!(matches!(removal.join().unwrap(), Err(Error::InUse { .. })));
    });
    assert!(store.get("db").is_ok());
}

#[test]
fn of_many_who_make_a_volume_one_does_and_all_get_the_same() {
    let (_root, store) = store();
    for round in 0..20 {
        let start = Barrier::new(8);
        let name = name(&format!("round-{round}"));
        let made = std::thread::scope(|scope| {
            let make = || {
                start.wait();
                let (held, made) = store.hold_or_make(&name, &NewVolume::default()).unwrap();
                fs::write(held.volume.data().join("seen"), "").unwrap();
                made
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|made| *made).count()
        });
        assert_eq!(made, 1);
        assert!(store.get(name.as_str()).unwrap().data().join("seen").exists());
    }
}

#[test]
fn making_and_removing_at_once_ends_with_one_or_none() {
    let (root, store) = store();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let (held, _) = store.hold_or_make(&name("busy"), &NewVolume::default()).unwrap();
                    fs::write(held.volume.data().join("x"), "").expect("a volume that is held is there");
                }
            });
            scope.spawn(|| {
                for _ in 0..50 {
                    match store.remove("busy", nobody) {
                        Ok(_) | Err(Error::NoSuchVolume(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    let left = fs::read_dir(root.path().join("volumes")).unwrap().count();
    assert!(left <= 1, "{left}");
}

#[test]
fn what_dead_processes_left_is_swept_away_and_what_living_ones_do_is_not() {
    let (root, store) = store();
    drop(store.hold_or_make(&name("db"), &NewVolume::default()).unwrap());
    let volumes = root.path().join("volumes");
    for dead in [".new-0123", ".gone-4567"] {
        fs::create_dir_all(volumes.join(dead).join("_data/deep")).unwrap();
    }
    fs::create_dir(volumes.join(".new-89ab")).unwrap();
    let living = fs::File::open(volumes.join(".new-89ab")).unwrap();
    living.lock_shared().unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
    let mut left: Vec<_> = fs::read_dir(&volumes).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".new-89ab", "db"]);
}

#[test]
fn a_folder_that_is_no_volume_hides_no_other() {
    let (root, store) = store();
    drop(store.hold_or_make(&name("db"), &NewVolume::default()).unwrap());
    fs::create_dir_all(root.path().join("volumes/mine/_data")).unwrap();
    fs::create_dir_all(root.path().join("volumes/torn/_data")).unwrap();
    fs::write(root.path().join("volumes/torn/volume.json"), "{\"Name\":").unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
    let text = store.get("mine").unwrap_err().to_string();
    assert!(
        text.ends_with(
            "/volumes/mine is no volume: its volume.json is missing; take what you need from it, and remove it"
        ),
        "{text}"
    );
    assert!(matches!(store.hold_or_make(&name("torn"), &NewVolume::default()), Err(Error::Damaged { .. })));
}

#[test]
fn drivers_and_options_are_checked_before_anything_is_made() {
    let (_root, store) = store();
    let plugin = NewVolume { driver: "nope".to_owned(), ..NewVolume::default() };
    let refusal = store.hold_or_make(&name("db"), &plugin).unwrap_err().to_string();
    assert_eq!(refusal, "create db: error looking up volume plugin nope: plugin \"nope\" not found");
    let options = BTreeMap::from([("foo".to_owned(), "bar".to_owned())]);
    let refusal =
        store.hold_or_make(&name("db"), &NewVolume { options, ..NewVolume::default() }).unwrap_err().to_string();
    assert_eq!(refusal, "create db: invalid option: \"foo\"");
    assert!(store.list().unwrap().is_empty());
}

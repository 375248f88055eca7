//! kill -9 in the middle: nothing half-made is ever found.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use volumes::settle::{Wishes, mounts};
use volumes::{NewVolume, Store, VolumeName};

const PLACE: &str = "KESAKO_TEST_VOLUMES";
const FILES: usize = 150;

/// Makes the volume `db` and fills it: what the test below has done by a process that it kills.
fn fill(root: &Path) {
    let name = VolumeName::parse("db").unwrap();
    // It need not survive the machine, which nobody kills here.
    let new = NewVolume { passing: true, ..NewVolume::default() };
    let (held, _) = Store::new(root).hold_or_make(&name, &new).unwrap();
    let image = File::open(root.join("image")).unwrap();
    let point = mounts(Wishes { binds: &["db:/data".to_owned()], ..Wishes::default() }).unwrap().remove(0);
    held.fill(&point, image.as_fd(), false).unwrap();
}

#[test]
fn of_a_copy_there_is_all_or_nothing() {
    if let Some(root) = std::env::var_os(PLACE) {
        return fill(Path::new(&root));
    }
    // In memory, where there is such a place: a disk is waited for, and then one is never killed in the middle.
    let memory = Path::new("/dev/shm");
    let place = tempfile::tempdir_in(if memory.is_dir() { memory.into() } else { std::env::temp_dir() }).unwrap();
    let image = place.path().join("image/data");
    fs::create_dir_all(&image).unwrap();
    for file in 0..FILES {
        fs::create_dir(image.join(format!("folder-{file}"))).unwrap();
        fs::write(image.join(format!("folder-{file}/file")), vec![7; 10_000]).unwrap();
    }
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let name = "suite::killed::of_a_copy_there_is_all_or_nothing";
        command.args(["--exact", name]).env(PLACE, place.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let begun = Instant::now();
    assert!(start().status().unwrap().success());
    let whole = begun.elapsed();
    let (mut untouched, mut torn) = (0, 0);
    for round in 0..40 {
        Store::new(place.path()).remove("db", || Ok::<_, volumes::Error>(Vec::new())).unwrap();
        let mut child = start().spawn().unwrap();
        std::thread::sleep(whole * round / 35);
        // It may have ended.
        let _ = child.kill();
        child.wait().unwrap();
        let path = place.path().join("volumes/db");
        torn += usize::from(path.join("_new").exists() || path.join("_full").exists());
        // Whoever lays hands on the volume next finds nothing or all.
        match Store::new(place.path()).hold(&VolumeName::parse("db").unwrap()) {
            Err(volumes::Error::NoSuchVolume(_)) => {
                untouched += 1;
                drop(Store::new(place.path()).hold_or_make(&VolumeName::parse("db").unwrap(), &NewVolume::default()));
            }
            Err(error) => panic!("{error}"),
            Ok(held) => match fs::read_dir(held.volume.data()).unwrap().count() {
                0 => untouched += 1,
                count => assert_eq!(count, FILES, "round {round}"),
            },
        }
        // And can go on from there.
        fill(place.path());
        let files = fs::read_dir(path.join("_data")).unwrap().map(|folder| folder.unwrap().path().join("file"));
        assert!(files.map(|file| fs::metadata(file).unwrap().len()).all(|length| length == 10_000));
        assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "volume.json and _data");
    }
    assert!(torn > 0 && untouched > 0, "none was killed in the middle ({torn}, {untouched}); a copy takes {whole:?}");
    assert!(whole < Duration::from_secs(30));
}

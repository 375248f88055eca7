//! Pulls while they run, and pulls that are killed again and again: what is in its place is whole, whatever else there is
//! is nobody's concern but the next pull's.
//!
//! `KESAKO_ROUNDS=200 cargo test --test registry pulls` plays many more rounds than a quick run does.

use crate::between::Line;
use crate::served::{Served, build};
use crate::support::{Sandbox, eventually};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is in a folder, all the way down: kind, mode and content of everything.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, u64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let status = fs::symlink_metadata(&path).unwrap();
            let content = match status.file_type() {
                kind if kind.is_file() => fs::read(&path).unwrap(),
                kind if kind.is_symlink() => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                kind if kind.is_dir() => {
                    open.push(path.clone());
                    Vec::new()
                }
                _ => Vec::new(),
            };
            let content = Sha256::digest(content).to_vec();
            found.insert(path.strip_prefix(folder).unwrap().to_owned(), (status.mode(), status.rdev(), content));
        }
    }
    found
}

/// The names in a folder; none if it is not there.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Everything that has its name is what the name says: unpacked layers as they are at their origin, blobs by digest.
fn all_is_whole(machine: &Sandbox, origin: &Sandbox) {
    let (here, there) = (machine.root().join("layers"), origin.root().join("layers"));
    for id in names(&here).iter().filter(|id| here.join(id).join("fs").is_dir()) {
        assert_eq!(tree(&here.join(id).join("fs")), tree(&there.join(id).join("fs")), "{id}");
    }
    let blobs = machine.root().join("content/blobs/sha256");
    for name in names(&blobs).iter().filter(|name| !name.starts_with('.')) {
        let hash = Sha256::digest(fs::read(blobs.join(name)).unwrap());
        assert_eq!(&hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), name);
    }
}

/// Nothing is on its way.
fn nothing_is_begun(machine: &Sandbox) {
    let root = machine.root();
    assert_eq!(names(&root.join("content/partial")), Vec::<String>::new());
    for id in names(&root.join("layers")) {
        assert!(!names(&root.join("layers").join(&id)).contains(&"fs.partial".to_owned()), "{id}");
    }
    let incoming = names(&root.join("content/blobs/sha256")).into_iter().filter(|name| name.starts_with('.'));
    assert_eq!(incoming.collect::<Vec<_>>(), Vec::<String>::new());
}

/// An image of several layers: many files, one that compresses well, one that does not, and one that is gone again.
fn image(sandbox: &Sandbox, name: &str) {
    let context = sandbox.path().join("context");
    fs::create_dir_all(&context).unwrap();
    let dockerfile = "FROM workbench\n\
        RUN mkdir /many && i=0 && while [ $i -lt 400 ]; do echo \"file $i\" > /many/$i; i=$((i + 1)); done\n\
        RUN head -c 30000000 /dev/zero > /zeros\n\
        RUN head -c 4000000 /dev/urandom > /random && chmod 600 /random\n\
        RUN rm -r /many /zeros && mkdir /many && echo last > /many/last\n";
    fs::write(context.join("Dockerfile"), dockerfile).unwrap();
    sandbox.ok(&["build", "-q", "--no-cache", "-t", name, &context.display().to_string()]);
    sandbox.ok(&["push", "-q", name]);
}

#[test]
fn a_layer_is_unpacked_while_it_comes() {
    const LARGE: usize = 12 << 20;
    let origin = Sandbox::new();
    let served = Served::start(&origin, &[]);
    let direct = format!("{}/app", served.host);
    build(&origin, &direct, LARGE);
    origin.ok(&["push", "-q", &direct]);
    let (machine, slow) = (Sandbox::new(), Line::to(&served.host, true));
    let mut pull = machine.spawn(&["pull", "-q", &format!("{}/app", slow.host)]);
    let layers = machine.root().join("layers");
    let unpacked = || {
        let files = names(&layers).into_iter().map(|id| layers.join(id).join("fs.partial/data"));
        files.filter_map(|file| Some(fs::metadata(file).ok()?.len())).max().unwrap_or(0)
    };
    eventually("some of it is unpacked", || unpacked() > 0);
    let (unpacked, come) = (unpacked(), slow.down());
    assert!(come < LARGE, "{unpacked} bytes were there only when {come} had come");
    assert_eq!(machine.ok(&["images", "-q"]), "", "nobody sees it before it is whole");
    assert!(pull.wait().unwrap().success());
    nothing_is_begun(&machine);
    all_is_whole(&machine, &origin);
}

#[test]
fn they_are_killed_again_and_again() {
    let rounds = std::env::var("KESAKO_ROUNDS").map_or(6, |rounds| rounds.parse().unwrap());
    let origin = Sandbox::new();
    let served = Served::start(&origin, &[]);
    let name = format!("{}/app", served.host);
    image(&origin, &name);
    let machine = Sandbox::new();
    let start = Instant::now();
    machine.ok(&["pull", "-q", &name]);
    let whole = start.elapsed();
    let mut broken = 0;
    for round in 0..rounds {
        // From nothing every third time, else from what the one before has left. Two at a time, every other time.
        if round % 3 == 0 && !machine.ok(&["images", "-q", &name]).is_empty() {
            machine.ok(&["rmi", "-f", &name]);
            assert_eq!(names(&machine.root().join("layers")), Vec::<String>::new());
        }
        // As one leaves that is killed while it writes down the manifest, which is a matter of a moment.
        fs::write(machine.root().join("content/blobs/sha256/.incoming-half"), "{\"schemaVers").unwrap();
        let mut pulls: Vec<_> = (0..=round % 2).map(|_| machine.spawn(&["pull", "-q", &name])).collect();
        std::thread::sleep(whole.mul_f64(f64::from(round * 7 % 10) / 10.0) + Duration::from_millis(10));
        let mut killed = pulls.remove(0);
        killed.kill().unwrap();
        broken += i32::from(!killed.wait().unwrap().success());
        // The other one goes on as if nothing had been.
        for mut other in pulls {
            assert!(other.wait().unwrap().success(), "round {round}");
        }
        all_is_whole(&machine, &origin);
        machine.ok(&["images"]);
        if round % 3 == 2 {
            machine.ok(&["pull", "-q", &name]);
            nothing_is_begun(&machine);
        }
    }
    assert!(broken > 0, "none of {rounds} pulls was killed in the middle");
    machine.ok(&["pull", "-q", &name]);
    nothing_is_begun(&machine);
    all_is_whole(&machine, &origin);
    assert_eq!(
        machine.ok(&["run", "--rm", &name, "sh", "-c", "cat /many/*; test -e /zeros || echo gone"]),
        "last\ngone"
    );
    machine.ok(&["rmi", "-f", &name]);
    assert_eq!(names(&machine.root().join("layers")), Vec::<String>::new());
    assert_eq!(names(&machine.root().join("content/blobs/sha256")), Vec::<String>::new());
}

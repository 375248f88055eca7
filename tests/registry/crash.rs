//! A registry that is killed again and again, in the middle of pushes, deletions and sweeping: what it answered is so,
//! and nothing is half.
//!
//! `KESAKO_ROUNDS=200 cargo test --test registry crash` plays many more rounds than a quick run does, and `KESAKO_SEED` the
//! same ones again.

use crate::http::{ask, digest};
use crate::served::{Served, folder};
use crate::support::Sandbox;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Result;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A small generator (Knuth's constants), so that a failure can be had again from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Somebody with a repository of their own, and what may be under each of its tags: one thing, or, after a request
/// without an answer, one of two.
struct Somebody {
    name: String,
    dice: Dice,
    tags: BTreeMap<String, Vec<Option<Vec<u8>>>>,
    /// An upload that was begun, and so many bytes that were sent.
    begun: Option<(String, Vec<u8>)>,
    /// What was done and answered.
    acts: usize,
}

impl Somebody {
    /// Does one thing after the other, until nobody answers.
    fn busy(&mut self, host: &str, when: &str) {
        let mut done = self.look(host, when);
        while done.is_ok() {
            done = self.act(host);
            self.acts += usize::from(done.is_ok());
        }
    }

    fn act(&mut self, host: &str) -> Result<()> {
        let tag = format!("t{}", self.dice.below(4));
        match self.dice.below(6) {
            0 => self.delete(host, &tag),
            1 => self.begin(host),
            _ => self.push(host, &tag),
        }
    }

    /// Blobs that may be there already, then the manifest.
    fn push(&mut self, host: &str, tag: &str) -> Result<()> {
        let config = b"{}".to_vec();
        // A few that everybody has, some that were never here.
        let layer = vec![b'x'; 100 * 1024 * self.dice.below(6) as usize + self.dice.below(3) as usize];
        for blob in [&config, &layer] {
            let path = format!("/v2/{}/blobs/{}", self.name, digest(blob));
            if ask(host, "HEAD", &path, "", b"")?.status != 200 {
                self.send(host, blob)?;
            }
        }
        let describe = |kind: &str, blob: &[u8]| json!({"mediaType": kind, "digest": digest(blob), "size": blob.len()});
        let bytes = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": describe("application/vnd.oci.image.config.v1+json", &config),
            "layers": [describe("application/vnd.oci.image.layer.v1.tar", &layer)],
            "annotations": { "tag": tag, "number": self.dice.below(1 << 30).to_string() },
        });
        let bytes = bytes.to_string().into_bytes();
        let may_be = self.tags.entry(tag.to_owned()).or_insert_with(|| vec![None]);
        may_be.push(Some(bytes.clone()));
        let path = format!("/v2/{}/manifests/{tag}", self.name);
        let told = ask(host, "PUT", &path, &format!("Content-Type: {MANIFEST}\r\n"), &bytes)?;
        assert_eq!(told.status, 201, "its blobs were there: {}", String::from_utf8_lossy(&told.body));
        *may_be = vec![Some(bytes)];
        Ok(())
    }

    /// In one piece, or in several.
    fn send(&mut self, host: &str, blob: &[u8]) -> Result<()> {
        let uploads = format!("/v2/{}/blobs/uploads/", self.name);
        if self.dice.below(2) == 0 {
            let told = ask(host, "POST", &format!("{uploads}?digest={}", digest(blob)), "", blob)?;
            assert_eq!(told.status, 201);
            return Ok(());
        }
        let place = ask(host, "POST", &uploads, "", b"")?.header("location").to_owned();
        let (first, rest) = blob.split_at(blob.len() / 2);
        assert_eq!(ask(host, "PATCH", &place, "", first)?.status, 202);
        assert_eq!(ask(host, "PUT", &format!("{place}?digest={}", digest(blob)), "", rest)?.status, 201);
        Ok(())
    }

    fn delete(&mut self, host: &str, tag: &str) -> Result<()> {
        let Some(may_be) = self.tags.get_mut(tag) else { return Ok(()) };
        let Some(bytes) = may_be[0].clone() else { return Ok(()) };
        let which = if self.dice.below(2) == 0 { tag.to_owned() } else { digest(&bytes) };
        may_be.push(None);
        let told = ask(host, "DELETE", &format!("/v2/{}/manifests/{which}", self.name), "", b"")?;
        assert_eq!(told.status, 202, "it was there");
        *may_be = vec![None];
        Ok(())
    }

    /// Begins what is gone on with after the next crash.
    fn begin(&mut self, host: &str) -> Result<()> {
        let told = ask(host, "POST", &format!("/v2/{}/blobs/uploads/", self.name), "", b"")?;
        let (place, bytes) = (told.header("location").to_owned(), self.dice.below(u64::MAX).to_string().into_bytes());
        if ask(host, "PATCH", &place, "", &bytes)?.status == 202 {
            self.begun = Some((place, bytes));
        }
        Ok(())
    }

    /// After a crash: what was answered is so.
    fn look(&mut self, host: &str, when: &str) -> Result<()> {
        for (tag, may_be) in &mut self.tags {
            let told = ask(host, "GET", &format!("/v2/{}/manifests/{tag}", self.name), "", b"")?;
            let found = (told.status == 200).then_some(told.body);
            assert!(
                may_be.contains(&found),
                "{when}: {}:{tag} is neither what it was nor what it was to be",
                self.name
            );
            *may_be = vec![found];
        }
        if let Some((place, bytes)) = &self.begun {
            let (place, mut bytes) = (place.clone(), bytes.clone());
            let state = ask(host, "GET", &place, "", b"")?;
            assert_eq!(
                (state.status, state.header("range")),
                (204, format!("0-{}", bytes.len() - 1).as_str()),
                "{when}"
            );
            bytes.push(b'!');
            self.begun = None;
            let done = ask(host, "PUT", &format!("{place}?digest={}", digest(&bytes)), "", b"!")?;
            assert_eq!(done.status, 201, "{when}: an upload is gone on with");
        }
        Ok(())
    }
}

/// The layout on disk: every blob is what its name says, and all that is listed is there.
fn whole(root: &Path, when: &str) {
    let blobs = root.join("blobs/sha256");
    for file in fs::read_dir(&blobs).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        if !name.starts_with('.') {
            let found = digest(&fs::read(file.path()).unwrap());
            assert_eq!(found, format!("sha256:{name}"), "{when}: a blob that is none");
        }
    }
    let there = |descriptor: &Value| {
        let path = blobs.join(&descriptor["digest"].as_str().unwrap()["sha256:".len()..]);
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{when}: {descriptor}: {error}"));
        assert_eq!(descriptor["size"], bytes.len(), "{when}");
        bytes
    };
    let index: Value = serde_json::from_slice(&fs::read(root.join("index.json")).unwrap()).unwrap();
    for descriptor in index["manifests"].as_array().unwrap() {
        let manifest: Value = serde_json::from_slice(&there(descriptor)).unwrap();
        manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]).for_each(|blob| _ = there(blob));
    }
}

/// Makes all blobs as old as garbage is.
fn age(root: &Path) {
    let ago = SystemTime::now() - Duration::from_secs(2 * 3600);
    for file in fs::read_dir(root.join("blobs/sha256")).unwrap().flatten() {
        fs::File::open(file.path()).unwrap().set_modified(ago).unwrap();
    }
}

#[test]
fn kill_9_at_random_moments() {
    let seed =
        std::env::var("KESAKO_SEED").map_or_else(|_| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    let rounds: u64 = std::env::var("KESAKO_ROUNDS").map_or(12, |rounds| rounds.parse().unwrap());
    eprintln!("KESAKO_SEED={seed}");
    let (sandbox, mut dice) = (Sandbox::new(), Dice(seed));
    let root = folder(&sandbox);
    let somebody = |number: u64| {
        let name = format!("team/r{number}");
        Mutex::new(Somebody { name, dice: Dice(seed + number + 1), tags: BTreeMap::new(), begun: None, acts: 0 })
    };
    let everybody: Vec<Mutex<Somebody>> = (0..4).map(somebody).collect();
    for round in 0..rounds {
        let when = format!("round {round} of KESAKO_SEED={seed}");
        let served = Served::start(&sandbox, &[]);
        let host = served.host.clone();
        std::thread::scope(|scope| {
            for one in &everybody {
                let (host, when) = (&host, &when);
                scope.spawn(move || {
                    one.lock().unwrap().busy(host, when);
                });
            }
            std::thread::sleep(Duration::from_millis(30 + dice.below(300)));
            served.kill();
        });
        whole(&root, &when);
        if dice.below(2) == 0 {
            age(&root);
        }
    }
    let served = Served::start(&sandbox, &[]);
    for one in &everybody {
        one.lock().unwrap().look(&served.host, "at the end").unwrap();
    }
    let acts: usize = everybody.iter().map(|one| one.lock().unwrap().acts).sum();
    eprintln!("{acts} things were done");
    assert!(acts as u64 > rounds, "it was killed before anybody did anything");
    drop(served);
    whole(&root, "at the end");
    for folder in [&root, &root.join("blobs/sha256")] {
        let files = fs::read_dir(folder).unwrap().flatten().map(|file| file.file_name());
        let left: Vec<_> = files.filter(|name| name.to_str().is_some_and(|name| name.starts_with('.'))).collect();
        assert!(left.is_empty(), "{left:?} are left in {}", folder.display());
    }
}

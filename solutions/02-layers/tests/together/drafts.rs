//! Layers that are made here, what is kept of them, and images composed of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use layers::image::{ImageConfig, RootFs};
use layers::manifest::Platform;
use layers::remove::Use;
use layers::unpack::Whiteouts;
use layers::{Digest, Draft, Image, Made, Pin, Reference, Store};
use serde_json::{Value, json};

use super::archive::{Ground, listing, seen};
use super::sandbox::sandboxed;

struct Site {
    root: tempfile::TempDir,
    store: Store,
    drafts: usize,
}

impl Site {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("drafts")).unwrap();
        let store = Store::open(root.path()).unwrap();
        Self { root, store, drafts: 0 }
    }

    /// Makes a layer upon these by `work`.
    fn layer(&mut self, below: &[Made], work: impl FnOnce(&Path)) -> (Option<Made>, Vec<String>) {
        self.drafts += 1;
        let folder = self.root.path().join("drafts").join(self.drafts.to_string());
        let draft = Draft::new(&folder, self.folders(below)).unwrap();
        let mount = draft.mount().unwrap();
        work(&seen(&mount));
        drop(mount);
        let diff_ids: Vec<Digest> = below.iter().map(|layer| layer.diff_id).collect();
        draft.seal(&self.store, &self.store.writing().unwrap(), &diff_ids).unwrap()
    }

    fn folders(&self, layers: &[Made]) -> Vec<PathBuf> {
        layers.iter().map(|layer| self.store.unpacked().path(&layer.chain_id)).collect()
    }

    fn image(&self, layers: &[Made], created: &str, name: &str) -> Image {
        let diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        let Platform { architecture, os, .. } = Platform::host();
        let rootfs = RootFs { diff_ids, ..RootFs::default() };
        let recipe =
            ImageConfig { created: Some(created.to_owned()), architecture, os, rootfs, ..ImageConfig::default() };
        let blobs = layers.iter().map(|layer| layer.blob.clone()).collect();
        let unsynced: Vec<Digest> = layers.iter().map(|layer| layer.blob.digest).collect();
        let names = [Reference::parse(name).unwrap()];
        self.store.compose(&self.store.writing().unwrap(), &recipe, blobs, &unsynced, &names).unwrap()
    }

    fn pin(&self, key: &str, layer: &Made) -> Digest {
        let key = Digest::of(key.as_bytes());
        self.store.pins().write(&key, &Pin { layer: Some(layer.clone()), about: json!({"step": "RUN x"}) }).unwrap();
        key
    }
}

fn nobody() -> layers::Result<Vec<Use>> {
    Ok(Vec::new())
}

fn first(root: &Path) {
    fs::create_dir(root.join("etc")).unwrap();
    fs::set_permissions(root.join("etc"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::write(root.join("etc/one"), "1").unwrap();
    fs::write(root.join("etc/two"), "2").unwrap();
    fs::create_dir(root.join("gone")).unwrap();
    fs::write(root.join("gone/file"), "").unwrap();
}

fn second(root: &Path) {
    fs::write(root.join("etc/one"), "changed").unwrap();
    fs::remove_file(root.join("etc/two")).unwrap();
    fs::remove_dir_all(root.join("gone")).unwrap();
    fs::create_dir(root.join("gone")).unwrap();
    fs::hard_link(root.join("etc/one"), root.join("gone/link")).unwrap();
}

sandboxed! {
    fn the_folder_that_was_written_to_is_what_its_archive_unpacks_to() {
        let mut site = Site::new();
        let below = site.layer(&[], first).0.unwrap();
        let above = site.layer(std::slice::from_ref(&below), second).0.unwrap();
        let adopted = layers::overlay::mount(&site.folders(&[below.clone(), above.clone()]), None).unwrap();
        let mut stack = Vec::new();
        for layer in [&below, &above] {
            let ground = Ground::new();
            let archive = fs::read(site.store.blobs().path(&layer.blob.digest)).unwrap();
            assert_eq!((Digest::of(&archive), archive.len() as u64), (layer.diff_id, layer.blob.size));
            ground.unpack_as(Whiteouts::Overlay, &archive).unwrap();
            stack.push(ground);
        }
        let folders: Vec<PathBuf> = stack.iter().map(Ground::root).collect();
        let unpacked = layers::overlay::mount(&folders, None).unwrap();
        assert_eq!(listing(&seen(&adopted)), listing(&seen(&unpacked)));
        assert_eq!(above.chain_id, *layers::digest::chain_ids(&[below.diff_id, above.diff_id]).last().unwrap());
    }

    fn what_was_done_to_the_root_itself_is_no_part_of_a_layer() {
        let mut site = Site::new();
        let layer = site.layer(&[], |root| {
            first(root);
            fs::set_permissions(root, fs::Permissions::from_mode(0o700)).unwrap();
        });
        let status = fs::metadata(site.store.unpacked().path(&layer.0.unwrap().chain_id)).unwrap();
        assert_eq!((status.mode() & 0o7777, status.uid(), status.gid()), (0o755, 0, 0));
    }

    fn what_an_archive_cannot_hold_is_left_out_of_the_folder_too() {
        let mut site = Site::new();
        let (layer, notes) = site.layer(&[], |root| {
            first(root);
            drop(UnixListener::bind(root.join("etc/socket")).unwrap());
            fs::create_dir(root.join(".wh.etc")).unwrap();
            fs::write(root.join(".wh.etc/file"), "").unwrap();
        });
        assert_eq!(notes, [
            ".wh.etc was left out: in a layer this name would hide another",
            "etc/socket was left out: a socket is no part of an image",
        ]);
        let folder = site.store.unpacked().path(&layer.unwrap().chain_id);
        assert!(!folder.join("etc/socket").exists() && !folder.join(".wh.etc").exists());
    }

    fn nothing_makes_no_layer() {
        let mut site = Site::new();
        let below = site.layer(&[], first).0.unwrap();
        assert_eq!(site.layer(&[], |_| {}), (None, vec![]));
        // Folders that were copied up for something that is gone again, and have their times back.
        let stays = |root: &Path| {
            let time = fs::metadata(root.join("etc")).unwrap().modified().unwrap();
            fs::write(root.join("etc/new"), "").unwrap();
            fs::remove_file(root.join("etc/new")).unwrap();
            fs::File::open(root.join("etc")).unwrap().set_modified(time).unwrap();
        };
        assert_eq!(site.layer(std::slice::from_ref(&below), stays), (None, vec![]));
        let one = site.layer(std::slice::from_ref(&below), |root| fs::create_dir(root.join("etc/sub")).unwrap());
        assert!(one.0.is_some());
        assert!(site.layer(&[below], |root| fs::remove_file(root.join("etc/one")).unwrap()).0.is_some());
    }

    fn the_same_once_more_is_the_same_layer() {
        let mut site = Site::new();
        let file = |root: &Path| {
            fs::write(root.join("file"), "x").unwrap();
            fs::File::open(root.join("file")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        };
        assert_eq!(site.layer(&[], file), site.layer(&[], file));
    }

    fn a_record_keeps_its_layer_and_removing_it_gives_the_bytes_back() {
        let mut site = Site::new();
        let kept = site.layer(&[], first).0.unwrap();
        let lost = site.layer(std::slice::from_ref(&kept), second).0.unwrap();
        let key = site.pin("a", &kept);
        site.store.prune(false, &|_| true, &nobody).unwrap();
        assert!(site.store.has(&kept).unwrap() && !site.store.has(&lost).unwrap());
        assert_eq!(site.store.blobs().list().unwrap(), [kept.diff_id]);

        let pin: Pin<BTreeMap<String, Value>> = site.store.pins().read(&key).unwrap();
        assert_eq!((pin.layer, pin.about["step"].as_str()), (Some(kept.clone()), Some("RUN x")));
        let listed = site.store.pins().list().unwrap();
        assert_eq!(listed.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [key]);

        let won = site.store.unpin(&[key], &nobody).unwrap();
        assert!(won >= kept.blob.size && !site.store.has(&kept).unwrap(), "{won}");
        assert_eq!((site.store.pins().list().unwrap(), site.store.blobs().list().unwrap()), (vec![], vec![]));
    }

    fn nobody_collects_what_a_build_is_making() {
        let mut site = Site::new();
        let layer = site.layer(&[], first).0.unwrap();
        let writing = site.store.writing().unwrap();
        site.store.prune(true, &|_| true, &nobody).unwrap();
        assert!(site.store.has(&layer).unwrap());
        drop(writing);
        site.store.prune(true, &|_| true, &nobody).unwrap();
        assert!(!site.store.has(&layer).unwrap());
    }

    fn a_record_whose_layer_was_damaged_is_none() {
        let mut site = Site::new();
        let layer = site.layer(&[], first).0.unwrap();
        let key = site.pin("a", &layer);
        let blob = site.store.blobs().path(&layer.blob.digest);
        let bytes = fs::read(&blob).unwrap();
        fs::write(&blob, &bytes[..512]).unwrap();
        assert!(!site.store.has(&layer).unwrap(), "a power cut took half of the blob");
        fs::write(&blob, bytes).unwrap();
        assert!(site.store.has(&layer).unwrap());
        fs::remove_dir_all(site.store.unpacked().path(&layer.chain_id)).unwrap();
        assert!(!site.store.has(&layer).unwrap());
        fs::write(site.store.pins().folder().join(format!("{}.json", key.hex())), "{\"layer\": ").unwrap();
        assert_eq!(site.store.pins().read::<Value>(&key), None);
        // And it hinders nobody.
        site.store.prune(true, &|_| true, &nobody).unwrap();
        assert!(site.store.blobs().list().unwrap().is_empty());
    }

    fn an_image_is_composed_of_layers_and_once_only() {
        let mut site = Site::new();
        let below = site.layer(&[], first).0.unwrap();
        let above = site.layer(std::slice::from_ref(&below), second).0.unwrap();
        let fixed = "1980-01-01T00:00:01Z";
        let image = site.image(&[below.clone(), above.clone()], fixed, "app:1");
        assert_eq!(image.tags(), ["app:1"]);
        assert_eq!(image.chain_ids(), [below.chain_id, above.chain_id]);
        // A time that everybody writes says nothing: it is as old as it is here.
        let now = jiff::Timestamp::now().as_second();
        assert!((now - 60..=now).contains(&image.made_seconds()));

        let index = fs::read(site.root.path().join("content/index.json")).unwrap();
        assert_eq!(site.image(&[below.clone(), above.clone()], fixed, "app:1").id, image.id);
        assert_eq!(fs::read(site.root.path().join("content/index.json")).unwrap(), index, "nothing is new");
        assert_eq!(site.image(&[below.clone(), above], fixed, "app:2").tags(), ["app:1", "app:2"]);

        let other = site.image(&[below], "2020-02-02T02:02:02Z", "app:1");
        assert_eq!(other.made_seconds(), 1_580_608_922);
        let names: Vec<_> = site.store.images().unwrap().iter().map(Image::tags).collect();
        assert_eq!(names, [["app:2"], ["app:1"]], "the newest first");
        // Without a name it is as old as it was.
        site.store.remove("app:2", false, false, &nobody).unwrap();
        assert!(site.store.resolve(&image.id.to_string()).is_err());
    }

    fn an_image_without_one_of_its_layers_is_refused() {
        let mut site = Site::new();
        let layer = site.layer(&[], first).0.unwrap();
        fs::remove_file(site.store.blobs().path(&layer.blob.digest)).unwrap();
        let refused = std::panic::catch_unwind(|| site.image(&[layer], "1980-01-01T00:00:01Z", "app"));
        assert!(refused.is_err());
        assert!(site.store.images().unwrap().is_empty());
    }
}

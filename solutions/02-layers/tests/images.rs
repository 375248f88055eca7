//! The store as its users see it: load, names, removal, history, commit.

#![allow(clippy::unwrap_used, reason = "tests, and what they share")]

mod support;

use serde_json::json;
use solution_2::commit::About;
use solution_2::image::Config;
use solution_2::import::{Import, import};
use solution_2::remove::{Removed, Use};
use solution_2::unpack::Limits;
use solution_2::{Digest, Error, Image, Reference, Store, archive};
use std::fs;
use support::{MANIFEST, Tar, TestStore, config, descriptor, docker_archive, layer, manifest, oci_archive};

fn nobody() -> solution_2::Result<Vec<Use>> {
    Ok(Vec::new())
}

fn by(image: &Image, running: bool) -> impl Fn() -> solution_2::Result<Vec<Use>> {
    let user = Use { container: "c0ffee".repeat(11), running, image: image.id, layers: image.chain_ids() };
    move || Ok(vec![user.clone()])
}

/// What a removal says, with the digests replaced by what they name.
fn told(removed: &[Removed], image: &Image) -> Vec<String> {
    let name = |digest: &Digest| match image.chain_ids().iter().position(|id| id == digest) {
        Some(layer) => format!("layer {layer}"),
        None if *digest == image.id => "image".to_owned(),
        None => "another".to_owned(),
    };
    let told = removed.iter().map(|step| match step {
        Removed::Untagged(name) => format!("untagged {name}"),
        Removed::Deleted(digest) => format!("deleted {}", name(digest)),
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

fn with_image(names: &[&str]) -> (TestStore, Image) {
    let test = TestStore::new();
    test.load(&docker_archive(names, &[&layer("a", "aa"), &layer("b", "bbb")]).bytes()).unwrap();
    let image = test.store.images().unwrap().remove(0);
    (test, image)
}

#[test]
fn an_image_is_found_by_its_names_and_by_the_beginning_of_its_id() {
    let (test, image) = with_image(&["app:1", "owner/app:2"]);
    let id = image.id.to_string();
    for name in ["app:1", "docker.io/library/app:1", "owner/app:2", &id, &id[7..], &id[7..19], &id[..20]] {
        assert_eq!(test.store.resolve(name).unwrap().id, image.id, "{name}");
    }
    assert_eq!(image.tags(), ["app:1", "owner/app:2"]);
    let texts: Vec<String> = ["app", "app:2", "nothing", "App", "a b", &"0".repeat(64), "app@sha256:00"]
        .iter()
        .map(|name| format!("{name}: {}", test.store.resolve(name).unwrap_err()))
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_beginning_that_two_ids_share_is_none() {
    let (test, first) = with_image(&[]);
    // Some content gives an ID that begins with the same digit.
    let second = (0..).find_map(|n| {
        let archive = docker_archive(&[], &[&layer("n", &n.to_string())]).bytes();
        let own = TestStore::new();
        own.load(&archive).unwrap();
        let id = own.store.images().unwrap()[0].id;
        (id.hex()[..1] == first.id.hex()[..1]).then_some((id, archive))
    });
    let (second, archive) = second.unwrap();
    assert!(test.store.resolve(&first.id.hex()[..1]).is_ok());
    test.load(&archive).unwrap();
    assert!(matches!(test.store.resolve(&first.id.hex()[..1]), Err(Error::NoSuchImage(_))));
    assert_eq!(test.store.resolve(&second.hex()[..12]).unwrap().id, second);
}

#[test]
fn loading_says_what_docker_says() {
    let test = TestStore::new();
    let lines = |archive: Vec<u8>| test.load(&archive).unwrap();
    assert_eq!(
        lines(docker_archive(&["a:1", "b"], &[&layer("a", "a")]).bytes()),
        ["Loaded image: a:1", "Loaded image: b:latest"]
    );
    assert!(lines(docker_archive(&[], &[&layer("b", "b")]).bytes())[0].starts_with("Loaded image ID: sha256:"));
    let old = test.store.resolve("a:1").unwrap().id;
    let replaced = lines(docker_archive(&["a:1"], &[&layer("c", "c")]).bytes());
    let said =
        format!("The image a:1 already exists, renaming the old one with ID {old} to empty string\nLoaded image: a:1");
    assert_eq!(replaced, [said]);
    assert_eq!(test.store.resolve(&old.hex()).unwrap().tags(), ["b:latest"]);
}

#[test]
fn a_manifest_that_came_with_the_archive_stays_as_it_is() {
    let layer = layer("a", "a");
    let config = config(&[&layer]).to_string();
    let whole = serde_json::to_string_pretty(&manifest(config.as_bytes(), &[&layer])).unwrap();
    let mut named = descriptor(MANIFEST, &whole);
    named["annotations"] =
        json!({"io.containerd.image.name": "ghcr.io/x/y:z", "org.opencontainers.image.ref.name": "z"});
    let test = TestStore::new();
    let archive = oci_archive(Tar::new().blob(&layer).blob(&config).blob(&whole), &[named]);
    assert_eq!(test.load(&archive).unwrap(), ["Loaded image: ghcr.io/x/y:z"]);
    let image = test.store.resolve("ghcr.io/x/y:z").unwrap();
    assert_eq!((image.manifest_digest, image.id), (Digest::of(whole.as_bytes()), Digest::of(config.as_bytes())));
    let by_digest = format!("ghcr.io/x/y@{}", image.manifest_digest);
    assert_eq!(test.store.resolve(&by_digest).unwrap().id, image.id);
}

#[test]
fn saved_images_are_the_same_bytes_and_load_again() {
    let (test, image) = with_image(&["app:1", "app:2", "other:1"]);
    let save = |names: &[&str]| {
        let mut bytes = Vec::new();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        archive::save(&test.store, &names, &mut bytes).map(|()| bytes)
    };
    let whole = save(&["app"]).unwrap();
    assert_eq!(whole, save(&["app"]).unwrap());
    let again = TestStore::new();
    assert_eq!(again.load(&whole).unwrap(), ["Loaded image: app:1", "Loaded image: app:2"]);
    assert_eq!(again.store.resolve("app:2").unwrap().manifest_digest, image.manifest_digest);
    let nameless = TestStore::new();
    assert_eq!(nameless.load(&save(&[&image.id.hex()]).unwrap()).unwrap(), [format!("Loaded image ID: {}", image.id)]);
    assert_eq!(save(&["app:3"]).unwrap_err().to_string(), "No such image: app:3");
}

#[test]
fn the_image_goes_with_its_last_name() {
    let (test, image) = with_image(&["app:1", "app:2"]);
    assert_eq!(told(&test.store.remove("app:1", false, true, &nobody).unwrap(), &image), ["untagged app:1"]);
    let rest = told(&test.store.remove("app:2", false, true, &nobody).unwrap(), &image);
    assert_eq!(rest, ["deleted image", "deleted layer 0", "deleted layer 1", "untagged app:2"]);
    assert!(test.store.images().unwrap().is_empty());
    assert!(test.store.blobs().list().unwrap().is_empty() && test.store.unpacked().list().unwrap().is_empty());
}

#[test]
fn dockers_conflicts() {
    let (test, image) = with_image(&["app:1", "other:1"]);
    let id = image.id.hex();
    let refuse = |name: &str, force: bool, users: &dyn Fn() -> solution_2::Result<Vec<Use>>| {
        let before = test.listing();
        let error = test.store.remove(name, force, true, users).unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{error}");
        assert_eq!(before, test.listing());
        error.to_string().replace(image.id.short().as_str(), "IMAGE")
    };
    let mut texts = vec![format!("by ID, two repositories: {}", refuse(&id, false, &nobody))];
    test.store.remove("other:1", false, true, &by(&image, true)).unwrap();
    texts.push(format!("last name, stopped: {}", refuse("app:1", false, &by(&image, false))));
    texts.push(format!("last name, running: {}", refuse("app:1", false, &by(&image, true))));
    texts.push(format!("by ID, stopped: {}", refuse(&id, false, &by(&image, false))));
    texts.push(format!("by ID, running: {}", refuse(&id, false, &by(&image, true))));
    texts.push(format!("by ID, running, forced: {}", refuse(&id, true, &by(&image, true))));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_forced_removal_leaves_a_stopped_container_its_layers() {
    let (test, image) = with_image(&["app:1", "other:1"]);
    let removed = test.store.remove(&image.id.hex(), true, true, &by(&image, false)).unwrap();
    assert_eq!(told(&removed, &image), ["deleted image", "untagged app:1", "untagged other:1"]);
    assert_eq!(test.store.unpacked().list().unwrap().len(), 2, "the container is made of these");
    assert!(test.store.blobs().list().unwrap().is_empty());
}

#[test]
fn by_name_a_running_containers_image_only_loses_the_name_when_forced() {
    let (test, image) = with_image(&["app:1"]);
    let removed = test.store.remove("app:1", true, true, &by(&image, true)).unwrap();
    assert_eq!(told(&removed, &image), ["untagged app:1"]);
    let dangling = test.store.images().unwrap();
    assert!(Store::is_dangling(&dangling[0], &dangling));
    let (gone, _) = test.store.prune(false, &|_| true, &by(&image, true)).unwrap();
    assert!(gone.is_empty(), "it is in use");
    let (gone, bytes) = test.store.prune(false, &|_| true, &nobody).unwrap();
    assert_eq!(told(&gone, &image), ["deleted image", "deleted layer 0", "deleted layer 1"]);
    assert!(bytes > 0);
}

#[test]
fn the_last_tag_of_a_repository_takes_its_digests_along() {
    let (test, image) = with_image(&["app:1"]);
    let by_digest = Reference::parse("app").unwrap().with_digest(image.manifest_digest);
    test.store.tag(&image, &by_digest).unwrap();
    assert_eq!(test.store.resolve("app:1").unwrap().digests(), [by_digest.to_string()]);
    let removed = told(&test.store.remove("app:1", false, true, &nobody).unwrap(), &image);
    assert_eq!(removed[3..], ["untagged app:1".to_owned(), format!("untagged {by_digest}")]);
}

#[test]
fn commit_adds_a_layer_a_step_and_a_child() {
    let (test, base) = with_image(&["base:1"]);
    let upper = tempfile::tempdir().unwrap();
    fs::write(upper.path().join("new"), "hello").unwrap();
    let about = || About {
        author: "me".into(),
        comment: "why".into(),
        created_by: "sh".into(),
        created: Some("2026-02-03T04:05:06Z".into()),
    };
    let name = Reference::parse("mine:1").unwrap();
    let mut recipe = base.config.config.clone();
    recipe.user = "1000".into();
    let commit = || test.store.commit(Some(&base), upper.path(), recipe.clone(), about(), Some(&name)).unwrap().0;
    let image = commit();
    assert_eq!(commit().id, image.id, "the same changes give the same image");
    assert_eq!((image.parent, image.config.config.user.as_str()), (Some(base.id), "1000"));
    assert_eq!(test.store.size(&image).unwrap(), 2 + 3 + 5);

    let history = test.store.history(&image).unwrap();
    let steps: Vec<String> =
        history.iter().map(|s| format!("{:?} {} {} {:?}", s.tags, s.size, s.created_by, s.comment)).collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    ["mine:1"] 5 sh "why"
    ["base:1"] 3 step 1 ""
    [] 2 step 0 ""
    "#);

    let conflict = test.store.remove(&base.id.hex(), false, true, &nobody).unwrap_err().to_string();
    assert!(conflict.ends_with("(cannot be forced) - image has dependent child images"), "{conflict}");
    assert_eq!(told(&test.store.remove("base:1", false, true, &nobody).unwrap(), &base), ["untagged base:1"]);
    // The child takes its unnamed parent along.
    let all = told(&test.store.remove("mine:1", false, true, &nobody).unwrap(), &image);
    assert_eq!(
        all,
        [
            "deleted another",
            "deleted image",
            "deleted layer 0",
            "deleted layer 1",
            "deleted layer 2",
            "untagged mine:1"
        ]
    );
}

#[test]
fn a_commit_of_nothing_adds_no_layer() {
    let (test, base) = with_image(&["base:1"]);
    let upper = tempfile::tempdir().unwrap();
    let (image, _) =
        test.store.commit(Some(&base), upper.path(), base.config.config.clone(), About::default(), None).unwrap();
    assert_eq!(image.config.rootfs, base.config.rootfs);
    assert!(image.config.history.last().unwrap().empty_layer && image.names.is_empty());
}

#[test]
fn import_makes_one_layer_and_a_recipe() {
    let test = TestStore::new();
    let about = Import {
        name: Some(Reference::parse("rootfs:1").unwrap()),
        config: Config { cmd: Some(vec!["/app".into()]), env: Some(vec!["A=b".into()]), ..Config::default() },
        created: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..Import::default()
    };
    let image = import(&test.store, &mut &*layer("app", "x"), about.clone()).unwrap();
    let config = solution_2::ImageConfig { architecture: "host".into(), variant: None, ..image.config };
    support::with_digests_hidden(|| insta::assert_json_snapshot!(config));
    let before = test.listing();
    import(&test.store, &mut &*b"no tar at all, but long enough to hold a header".repeat(20), about).unwrap_err();
    assert_eq!(before, test.listing());
}

/// An archive from before manifest.json.
#[test]
fn the_oldest_archives_load() {
    let layers = [layer("a", "a"), layer("b", "b")];
    let archive = Tar::new()
        .file("low/layer.tar", &layers[0])
        .file(
            "low/json",
            r#"{"id":"low","architecture":"amd64","os":"linux","container_config":{"Cmd":["sh","-c","one"]}}"#,
        )
        .file("low/VERSION", "1.0")
        .link("top/layer.tar", "../real/layer.tar")
        .file("real/layer.tar", &layers[1])
        .file(
            "top/json",
            r#"{"id":"top","parent":"low","config":{"Cmd":["sh"],"Env":null},"created":"2015-01-01T00:00:00Z"}"#,
        )
        .file("repositories", r#"{"old":{"1":"top"}}"#)
        .bytes();
    let test = TestStore::new();
    assert_eq!(test.load(&archive).unwrap(), ["Loaded image: old:1"]);
    let image = test.store.resolve("old:1").unwrap();
    assert_eq!(image.config.rootfs.diff_ids, [Digest::of(&layers[0]), Digest::of(&layers[1])]);
    assert_eq!(
        (image.config.config.cmd.unwrap(), image.config.history[0].created_by.as_str()),
        (vec!["sh".to_owned()], "sh -c one")
    );
    let blobs = test.store.blobs().list().unwrap();
    assert_eq!(blobs.len(), 4, "two layers, a config, a manifest; what no image needs (VERSION) is gone: {blobs:?}");
}

/// umoci ends a layer with its last file's last byte: no padding, no zero blocks.
#[test]
fn a_layer_without_its_end_loads() {
    let whole = layer("file", "not a whole block");
    let bare = &whole[..512 + "not a whole block".len()];
    let test = TestStore::new();
    test.load(&docker_archive(&["bare:1"], &[bare]).bytes()).unwrap();
    let folders = test.store.layer_folders(&test.store.resolve("bare:1").unwrap()).unwrap();
    assert_eq!(fs::read_to_string(folders[0].join("file")).unwrap(), "not a whole block");
}

/// Another tool may write to the layout: its entries carry none of our annotations.
#[test]
fn entries_of_other_tools_are_images_too() {
    let (test, image) = with_image(&["app:1"]);
    let path = test.root.path().join("content/index.json");
    let mut index: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut foreign = index["manifests"][0].clone();
    foreign["annotations"] = json!({"org.opencontainers.image.ref.name": "theirs:1"});
    index["manifests"].as_array_mut().unwrap().push(foreign);
    fs::write(&path, index.to_string()).unwrap();
    let images = test.store.images().unwrap();
    assert_eq!((images.len(), images[0].tags()), (1, vec!["app:1".to_owned(), "theirs:1".to_owned()]));
    assert_eq!(told(&test.store.remove("app:1", false, true, &nobody).unwrap(), &image), ["untagged app:1"]);
    assert_eq!(test.store.resolve(&image.id.hex()).unwrap().tags(), ["theirs:1"]);
}

/// Whoever is killed while writing leaves temporary files, unnamed blobs and half a layer: the next removal takes them.
#[test]
fn what_the_killed_left_is_swept() {
    let (test, image) = with_image(&["app:1"]);
    test.load(&docker_archive(&["other:1"], &[&layer("x", "x")]).bytes()).unwrap();
    // The first one counts the sizes of layers, and keeps them beside the layers.
    test.store.prune(false, &|_| true, &nobody).unwrap();
    let before = test.listing();
    let content = test.root.path().join("content");
    fs::write(content.join("blobs/sha256/.incoming-abc"), "half a bl").unwrap();
    fs::write(content.join(".index-abc"), "half an ind").unwrap();
    test.store.blobs().put(b"nobody names me").unwrap();
    fs::create_dir_all(test.root.path().join("layers").join(Digest::of(b"").hex()).join("partial/x")).unwrap();
    assert_ne!(before, test.listing());
    let writing = test.store.writing().unwrap();
    test.store.prune(false, &|_| true, &nobody).unwrap();
    assert_ne!(before, test.listing(), "somebody might be writing this");
    drop(writing);
    let (removed, bytes) = test.store.prune(false, &|_| true, &nobody).unwrap();
    assert_eq!((removed, before), (Vec::new(), test.listing()));
    assert!(bytes > 0);
    assert_eq!(test.store.resolve("app:1").unwrap().id, image.id);
}

/// A bomb: it is refused as it grows, not when the disk is full.
#[test]
fn what_inflates_past_the_limit_is_refused() {
    let test = TestStore::new();
    let small = test.store.clone().with_limits(Limits { bytes: 1 << 20, entries: 100 });
    let large = layer("zeros", &"\0".repeat(2 << 20));
    let bomb = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &large).unwrap();
        encoder.finish().unwrap()
    };
    assert!(bomb.len() < 4096);
    let before = test.listing();
    let refusals = [
        import(&small, &mut &*bomb, Import::default()).unwrap_err(),
        archive::load(&small, &mut &*docker_archive(&[], &[&large]).bytes()).unwrap_err(),
        // Packed within the image.
        archive::load(
            &small,
            &mut &*Tar::new()
                .file("0.tar", &bomb)
                .json("config.json", &config(&[&large]))
                .json("manifest.json", &support::docker_manifest(&["x:1"], 1))
                .bytes(),
        )
        .unwrap_err(),
    ];
    for refusal in refusals {
        assert!(refusal.to_string().contains("the limit of 1048576 bytes"), "{refusal}");
    }
    assert_eq!(before, test.listing());
}

/// Many at once: each load, tag and removal is whole, and none undoes another's.
#[test]
fn loads_and_removals_at_once() {
    let test = TestStore::new();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let store = test.store.clone();
            scope.spawn(move || {
                for round in 0..8 {
                    let (own, name) = (layer(&format!("f{worker}"), &round.to_string()), format!("w{worker}:{round}"));
                    let archive = docker_archive(&[&name], &[&layer("shared", "x"), &own]).bytes();
                    archive::load(&store, &mut &*archive).unwrap();
                    let image = store.resolve(&name).unwrap();
                    store.layer_folders(&image).unwrap().iter().for_each(|folder| assert!(folder.is_dir()));
                    if round % 2 == 0 {
                        store.remove(&name, false, true, &nobody).unwrap();
                    }
                }
            });
        }
    });
    let images = test.store.images().unwrap();
    assert_eq!(images.len(), 16);
    for image in &images {
        image.layers().unwrap().iter().for_each(|layer| assert!(test.store.blobs().contains(&layer.digest)));
    }
    for image in images {
        test.store.remove(&image.tags()[0], false, true, &nobody).unwrap();
    }
    assert!(test.store.blobs().list().unwrap().is_empty() && test.store.unpacked().list().unwrap().is_empty());
}

//! Pushing.

use super::http::answer;
use super::site::{Home, Image, Site};
use layers::manifest::{Descriptor, Manifest, media_type};
use layers::{Digest, Reference};
use std::io::Read as _;

/// An image that is here under this name.
fn with_image(home: &Home, contents: &[&str], name: &Reference) -> Image {
    let (site, image) = (Site::new(), Image::of(contents));
    site.put("made", "v1", &image);
    let made = home.pull(&site.reference("made:v1")).unwrap().image;
    home.store.tag(&made, name).unwrap();
    home.told.lock().unwrap().clear();
    image
}

/// An image that was made here, as a build leaves it.
fn made(home: &Home, contents: &[&str], name: &Reference) -> Image {
    let image = Image::of(contents);
    make(home, &image, name);
    image
}

fn make(home: &Home, image: &Image, name: &Reference) {
    let writing = home.store.writing().unwrap();
    for blob in image.layers.iter().chain([&image.config, &image.manifest]) {
        home.store.blobs().put(blob).unwrap();
    }
    let target = Descriptor::new(image.media_type, image.digest(), image.manifest.len() as u64);
    home.store.register(&writing, &target, Some(name), None).unwrap();
}

#[test]
fn an_image_arrives_as_it_was() {
    let (site, home) = (Site::new(), Home::new());
    let name = site.reference("team/app:v1");
    let image = with_image(&home, &["one", "two"], &name);
    let pushed = home.push(&name).unwrap();
    assert_eq!((pushed.digest, pushed.size), (image.digest(), image.manifest.len() as u64));
    let other = Home::new();
    assert_eq!(other.pull(&name).unwrap().image.id, image.id());
    let order: Vec<String> = site.state().requests.iter().map(|request| request.method.clone()).collect();
    let manifest = order.iter().position(|method| method == "PUT").unwrap();
    assert!(manifest > 0, "the manifest comes last: a registry never has one of something that it lacks");
    assert_eq!(site.state().requests.iter().rfind(|r| r.method == "PUT").unwrap().path, "/v2/team/app/manifests/v1");
}

#[test]
fn what_is_there_is_not_sent() {
    let (site, home) = (Site::new(), Home::new());
    let name = site.reference("app:v1");
    with_image(&home, &["one"], &name);
    home.push(&name).unwrap();
    let before = site.state().count("PATCH", "");
    home.push(&name).unwrap();
    assert_eq!(site.state().count("PATCH", ""), before);
    assert!(home.lines().last().unwrap().ends_with("Layer already exists"));
}

#[test]
fn a_layer_of_another_repository_is_mounted() {
    let (site, home) = (Site::new(), Home::new());
    let (base, app) = (site.reference("team/base:v1"), site.reference("team/app:v1"));
    with_image(&home, &["one"], &base);
    home.push(&base).unwrap();
    let image = home.store.resolve(&base.to_string()).unwrap();
    home.store.tag(&image, &app).unwrap();
    home.push(&app).unwrap();
    assert!(home.lines().last().unwrap().ends_with("Mounted from team/base"), "{:?}", home.lines());
    let layer = image.manifest.layers[0].digest.to_string();
    assert!(site.state().blobs.contains_key(&("team/app".to_owned(), layer)));
}

#[test]
fn a_registry_that_will_not_mount_is_sent_the_layer() {
    let site = Site::with(Box::new(|request, _| {
        request.path.contains("mount=").then(|| answer(403, r#"{"errors":[{"code":"DENIED","message":"no"}]}"#))
    }));
    let home = Home::new();
    let (base, app) = (site.reference("base:v1"), site.reference("app:v1"));
    with_image(&home, &["one"], &base);
    home.push(&base).unwrap();
    home.store.tag(&home.store.resolve(&base.to_string()).unwrap(), &app).unwrap();
    home.push(&app).unwrap();
    assert!(home.lines().last().unwrap().ends_with("Pushed"));
}

#[test]
fn an_upload_goes_on_where_the_registry_stopped_hearing_us() {
    let site = Site::with(Box::new(|request, state| {
        // Of the first piece it takes a part, and then has a trouble of its own.
        (request.method == "PATCH" && state.count("PATCH", "") == 1).then(|| {
            let id = request.path.rsplit('/').next().unwrap().to_owned();
            state.uploads.get_mut(&id).unwrap().extend(&request.body[..100]);
            answer(500, "")
        })
    }));
    let home = Home::new();
    let name = site.reference("app:v1");
    let image = with_image(&home, &["a layer of some length"], &name);
    home.push(&name).unwrap();
    let state = site.state();
    let second = state.requests.iter().filter(|request| request.method == "PATCH").nth(1).unwrap();
    let whole = image.layers[0].len();
    let expected = format!("100-{}", whole - 1);
    assert_eq!((second.body.len(), second.header("content-range")), (whole - 100, Some(expected.as_str())));
    assert!(state.blobs.contains_key(&("app".to_owned(), Digest::of(&image.layers[0]).to_string())));
}

#[test]
fn who_may_not_push_is_told_so() {
    let site = Site::with(Box::new(|request, _| {
        let denied = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
        (request.method == "POST").then(|| answer(403, denied))
    }));
    let home = Home::new();
    let name = site.reference("app:v1");
    with_image(&home, &["one"], &name);
    let error = home.push(&name).unwrap_err().to_string();
    let expected = "push access denied, repository does not exist or may require authorization: denied: requested access to the resource is denied";
    assert_eq!(error, expected);
}

/// The layers of the manifest that a registry has under this name: media type, blob, and what it unpacks to.
fn layers_there(site: &Site, repository: &str, tag: &str) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let state = site.state();
    let (_, manifest) = &state.manifests[&(repository.to_owned(), tag.to_owned())];
    let manifest: Manifest = serde_json::from_slice(manifest).unwrap();
    let layer = |layer: &Descriptor| {
        let blob = state.blobs[&(repository.to_owned(), layer.digest.to_string())].clone();
        let mut plain = Vec::new();
        layers::compression::decompress(&blob[..], &layer.media_type).unwrap().read_to_end(&mut plain).unwrap();
        (layer.media_type.clone(), blob, plain)
    };
    manifest.layers.iter().map(layer).collect()
}

#[test]
fn what_was_made_here_travels_compressed_and_is_so_once_and_for_all() {
    let (site, home) = (Site::new(), Home::new());
    let name = site.reference("app:v1");
    let long = "a layer that says the same, ".repeat(200_000);
    let image = made(&home, &[&long, "two"], &name);
    let pushed = home.push(&name).unwrap();
    let there = layers_there(&site, "app", "v1");
    for ((kind, blob, plain), made) in there.iter().zip(&image.layers) {
        assert_eq!(kind, media_type::OCI_LAYER_GZIP);
        assert!(plain == made && blob[..2] == [0x1f, 0x8b]);
    }
    assert!(there[0].1.len() * 50 < image.layers[0].len(), "{} of {}", there[0].1.len(), image.layers[0].len());
    // It is the same image as before, and still usable.
    let kept = home.store.resolve(&name.to_string()).unwrap();
    assert_eq!((kept.id, kept.manifest_digest), (image.id(), pushed.digest));
    assert!(kept.digests()[0].ends_with(&pushed.digest.to_string()), "{:?}", kept.digests());
    let other = Home::new();
    assert_eq!(other.pull(&name).unwrap().image.id, image.id());
    // Elsewhere it has the same digest, and nothing of it is compressed again.
    let second = Site::new();
    let elsewhere = second.reference("app:v1");
    home.store.tag(&kept, &elsewhere).unwrap();
    home.told.lock().unwrap().clear();
    assert_eq!(home.push(&elsewhere).unwrap().digest, pushed.digest);
    assert!(!home.told.lock().unwrap().iter().any(|event| format!("{event:?}").contains("Compressing")));
}

#[test]
fn an_image_made_again_of_the_same_steps_is_not_compressed_again() {
    let (site, home) = (Site::new(), Home::new());
    let name = site.reference("app:v1");
    let image = made(&home, &["one", "two"], &name);
    let first = home.push(&name).unwrap().digest;
    // As a build does that finds its steps done: the same image, of layers as they were made.
    make(&home, &image, &name);
    assert_eq!(home.store.resolve(&name.to_string()).unwrap().manifest_digest, image.digest());
    let (patches, packed) = (site.state().count("PATCH", ""), home.store.packed().unwrap());
    assert_eq!(packed.len(), 2);
    assert_eq!(home.push(&name).unwrap().digest, first);
    assert_eq!(site.state().count("PATCH", ""), patches);
}

#[test]
fn a_layer_that_was_changed_on_the_disk_is_not_sent() {
    let (site, home) = (Site::new(), Home::new());
    let name = site.reference("app:v1");
    let image = made(&home, &["one"], &name);
    let path = home.store.blobs().path(&Digest::of(&image.layers[0]));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[512] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = home.push(&name).unwrap_err().to_string();
    assert!(error.contains(&Digest::of(&image.layers[0]).to_string()), "{error}");
    assert_eq!(site.state().count("PATCH", ""), 0);
    assert!(site.state().manifests.is_empty());
}

//! Pulling.

use super::http::answer;
use super::site::{Home, Image, Site};
use layers::Digest;
use layers::manifest::{Descriptor, Index, Platform, media_type};
use registry::Error;
use std::io::Write as _;

#[test]
fn an_image_comes_whole() {
    let (site, home, image) = (Site::new(), Home::new(), Image::of(&["one", "two", "three"]));
    site.put("team/app", "v1", &image);
    let name = site.reference("team/app:v1");
    let pulled = home.pull(&name).unwrap();
    assert_eq!((pulled.digest, pulled.image.id, pulled.newer), (image.digest(), image.id(), true));
    let names: Vec<String> =
        home.store.resolve(&name.to_string()).unwrap().names.iter().map(ToString::to_string).collect();
    assert_eq!(names, [format!("{}/team/app@{}", site.host, image.digest()), name.to_string()]);
    let folders = home.store.layer_folders(&pulled.image).unwrap();
    let read: Vec<String> =
        folders.iter().map(|folder| std::fs::read_to_string(folder.join("file")).unwrap()).collect();
    assert_eq!(read, ["one", "two", "three"]);
    let lines = home.lines();
    assert_eq!(lines[0], "v1: Pulling from team/app");
    for layer in &image.layers {
        let short = Digest::of(layer).short();
        for step in ["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"] {
            assert!(lines.contains(&format!("{short}: {step}")), "{step} of {short}: {lines:#?}");
        }
    }
}

#[test]
fn what_is_here_is_not_fetched() {
    let (site, home) = (Site::new(), Home::new());
    let (image, more) = (Image::of(&["one"]), Image::of(&["one", "two"]));
    site.put("app", "v1", &image);
    site.put("app", "v2", &more);
    home.pull(&site.reference("app:v1")).unwrap();
    assert!(!home.pull(&site.reference("app:v1")).unwrap().newer);
    home.pull(&site.reference("app:v2")).unwrap();
    let shared = Digest::of(&image.layers[0]).to_string();
    assert_eq!(site.state().count("GET", &shared), 1, "the layer that both have");
    assert!(home.lines().contains(&format!("{}: Already exists", Digest::of(&image.layers[0]).short())));
}

#[test]
fn an_index_has_one_for_this_machine() {
    let (site, mut home) = (Site::new(), Home::new());
    let images = ["amd64", "arm64"].map(|architecture| Image::for_platform(&[architecture], architecture));
    let descriptor = |image: &Image, architecture: &str| Descriptor {
        platform: Some(Platform::parse(architecture).unwrap()),
        ..Descriptor::new(image.media_type, image.digest(), image.manifest.len() as u64)
    };
    let manifests = vec![descriptor(&images[0], "amd64"), descriptor(&images[1], "arm64")];
    let index = serde_json::to_vec(&Index { manifests, ..Index::default() }).unwrap();
    for image in &images {
        site.put("app", "unused", image);
    }
    site.state().manifests.insert(("app".into(), "v1".into()), (media_type::OCI_INDEX.into(), index.clone()));
    let name = site.reference("app:v1");
    for (platform, image) in [("linux/arm64", &images[1]), ("linux/amd64", &images[0])] {
        home.platform = Some(Platform::parse(platform).unwrap());
        let pulled = home.pull(&name).unwrap();
        assert_eq!((pulled.image.id, pulled.digest), (image.id(), Digest::of(&index)), "{platform}");
        assert_eq!(home.store.resolve(&name.to_string()).unwrap().id, image.id());
    }
    assert_eq!(home.store.images().unwrap().len(), 2, "the one that lost its name is still here");
    home.platform = Some(Platform::parse("linux/s390x").unwrap());
    let error = home.pull(&name).unwrap_err().to_string();
    assert_eq!(error, "no matching manifest for linux/s390x in the manifest list entries");
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let image = Image::of(&["a layer of some length"]);
    let digest = Digest::of(&image.layers[0]).to_string();
    let (blob, wanted) = (image.layers[0].clone(), digest.clone());
    let site = Site::with(Box::new(move |request, state| {
        // The first time, half of it.
        (request.path.ends_with(&wanted) && state.count("GET", &wanted) == 1).then(|| {
            let mut half = answer(200, &blob[..blob.len() / 2]);
            half.breaks_off = true;
            half
        })
    }));
    site.put("app", "v1", &image);
    Home::new().pull(&site.reference("app:v1")).unwrap();
    let state = site.state();
    let ranges: Vec<_> =
        state.requests.iter().filter(|r| r.path.ends_with(&digest)).map(|r| r.header("range")).collect();
    let expected = format!("bytes={}-", image.layers[0].len() / 2);
    assert_eq!(ranges, [None, Some(expected.as_str())]);
}

#[test]
fn what_a_dead_process_left_is_gone_on_with() {
    let (site, home, image) = (Site::new(), Home::new(), Image::of(&["a layer of some length"]));
    site.put("app", "v1", &image);
    let digest = Digest::of(&image.layers[0]);
    home.store.blobs().partial(&digest, &mut || ()).unwrap().unwrap().write_all(&image.layers[0][..100]).unwrap();
    home.pull(&site.reference("app:v1")).unwrap();
    let state = site.state();
    let asked = state.requests.iter().find(|request| request.path.ends_with(&digest.to_string())).unwrap();
    assert_eq!(asked.header("range"), Some("bytes=100-"));
}

#[test]
fn several_that_pull_the_same_fetch_it_once() {
    let (site, home, image) = (Site::new(), Home::new(), Image::of(&["one", "two"]));
    site.put("app", "v1", &image);
    let name = site.reference("app:v1");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| home.pull(&name).unwrap());
        }
    });
    for blob in image.layers.iter().chain([&image.config]) {
        assert_eq!(site.state().count("GET", &Digest::of(blob).to_string()), 1);
    }
}

#[test]
fn a_mirror_is_asked_first_and_the_registry_if_it_fails() {
    let (image, mut home) = (Image::of(&["one"]), Home::new());
    let lacking = Site::new();
    let broken = Site::with(Box::new(|_, _| Some(answer(500, "no"))));
    let good = Site::new();
    good.put("library/app", "latest", &image);
    home.settings.mirrors =
        ["127.0.0.1:1", &lacking.host, &broken.host, &good.host].map(|host| format!("http://{host}")).to_vec();
    let pulled = home.pull(&layers::Reference::parse("app").unwrap().or_latest()).unwrap();
    assert_eq!(pulled.image.tags(), ["app:latest"]);
    assert_eq!(lacking.state().count("GET", "/v2/library/app/manifests/latest"), 1);
    assert_eq!(broken.state().count("GET", "/blobs/"), 0, "who failed once is not asked again");
}

#[test]
fn a_registry_that_has_trouble_is_asked_again() {
    let image = Image::of(&["one"]);
    let digest = Digest::of(&image.layers[0]).to_string();
    let wanted = digest.clone();
    let site = Site::with(Box::new(move |request, state| {
        (request.path.ends_with(&wanted) && state.count("GET", &wanted) < 4).then(|| answer(503, ""))
    }));
    site.put("app", "v1", &image);
    let home = Home::new();
    home.pull(&site.reference("app:v1")).unwrap();
    assert_eq!(site.state().count("GET", &digest), 4);
    assert!(home.lines().iter().any(|line| line.ends_with("Retrying in 1 second")), "{:?}", home.lines());
}

#[test]
fn what_is_not_there_is_told_in_dockers_words() {
    let (site, home) = (Site::new(), Home::new());
    let error = home.pull(&site.reference("app:v9")).unwrap_err();
    assert!(matches!(error, Error::NoManifest { .. }));
    let expected = format!("manifest for {}/app:v9 not found: manifest unknown: unknown", site.host);
    assert_eq!(error.to_string(), expected);
    assert!(home.is_empty());
}

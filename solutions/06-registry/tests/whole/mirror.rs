//! A mirror: twenty machines, one download.

use super::http::{Answer, answer};
use super::served::{Served, serve};
use super::site::{Home, Image, Site};
use layers::Digest;
use registry::Reference;
use registry::server::Upstream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn mirror_of(site: &Site) -> Served {
    let address = format!("http://{}", site.host);
    serve(|options| {
        options.mirror = Some(Upstream { address, settings: Home::new().settings, credentials: None });
    })
}

/// A home that asks this mirror for what is on Docker Hub.
fn home_with(mirror: &Served) -> Home {
    let mut home = Home::new();
    home.settings.mirrors = vec![format!("http://{}", mirror.host)];
    home
}

fn app() -> Reference {
    Reference::parse("app").unwrap().or_latest()
}

#[test]
fn twenty_pull_and_each_blob_is_fetched_once() {
    let (site, image) = (Site::new(), Image::of(&["one", "two", "three", "four", "five"]));
    site.put("library/app", "latest", &image);
    let mirror = mirror_of(&site);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(home_with(&mirror).pull(&app()).unwrap().image.id, image.id()));
        }
    });
    for blob in image.layers.iter().chain([&image.config]) {
        assert_eq!(site.state().count("GET", &Digest::of(blob).to_string()), 1, "one download of each blob");
    }
    assert_eq!(site.state().count("GET", "/manifests/"), 1, "and of the manifest");
}

#[test]
fn what_was_fetched_is_there_when_the_registry_is_gone() {
    let gone = Arc::new(AtomicBool::new(false));
    let inside = gone.clone();
    let site =
        Site::with(Box::new(move |_, _| -> Option<Answer> { inside.load(Ordering::Relaxed).then(|| answer(503, "")) }));
    let image = Image::of(&["one"]);
    site.put("library/app", "latest", &image);
    let mirror = mirror_of(&site);
    home_with(&mirror).pull(&app()).unwrap();
    gone.store(true, Ordering::Relaxed);
    assert_eq!(home_with(&mirror).pull(&app()).unwrap().image.id, image.id());
    let told = mirror.get("/v2/library/other/manifests/latest");
    assert_eq!(told.status, 502, "what it never had: {}", told.text());
}

#[test]
fn a_mirror_keeps_nothing_that_is_not_what_it_says() {
    let (site, image) = (Site::new(), Image::of(&["one"]));
    site.put("library/app", "latest", &image);
    let digest = Digest::of(&image.layers[0]);
    site.state().blobs.insert(("library/app".into(), digest.to_string()), vec![0; image.layers[0].len()]);
    let mirror = mirror_of(&site);
    assert_eq!(mirror.get("/v2/library/app/manifests/latest").status, 200);
    assert_eq!(mirror.get(&format!("/v2/library/app/blobs/{digest}")).status, 502);
    assert!(!mirror.folder.path().join("registry/blobs/sha256").join(digest.hex()).exists());
}

#[test]
fn nothing_is_pushed_to_a_mirror() {
    let mirror = mirror_of(&Site::new());
    let told = mirror.send("POST", "/v2/a/blobs/uploads/", &[], b"");
    assert_eq!((told.status, told.code().as_str()), (405, "UNSUPPORTED"));
    assert!(told.text().contains("push to the registry itself"));
    assert_eq!(mirror.get("/v2/none/manifests/v1").code(), "MANIFEST_UNKNOWN");
}

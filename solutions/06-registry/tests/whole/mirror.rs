//! A mirror: twenty machines, one download.

use super::http::{Answer, answer};
use super::served::{Served, serve, serve_folder};
use super::site::{Home, Image, Site};
use layers::Digest;
use registry::server::Upstream;
use registry::{Credentials, Reference};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

#[test]
fn a_mirror_shows_its_own_credentials() {
    let basic = "Basic YW5hOnNlY3JldA==";
    let site = Site::with(Box::new(move |request, _| {
        let challenge = || answer(401, "").with("WWW-Authenticate", "Basic realm=\"here\"");
        (request.header("authorization") != Some(basic)).then(challenge)
    }));
    let image = Image::of(&["one"]);
    site.put("library/app", "latest", &image);
    let served_with = |password: Option<&str>| {
        let (address, settings) = (format!("http://{}", site.host), Home::new().settings);
        let credentials = password.map(|password| Credentials {
            username: "ana".to_owned(),
            password: password.to_owned(),
            ..Credentials::default()
        });
        serve(|options| options.mirror = Some(Upstream { address, settings, credentials }))
    };
    for wrong in [None, Some("wrong")] {
        let told = served_with(wrong).get("/v2/library/app/manifests/latest");
        assert_eq!((told.status, told.code().as_str()), (403, "DENIED"), "{}", told.text());
    }
    // Who pulls through it shows none.
    let mirror = served_with(Some("secret"));
    assert_eq!(home_with(&mirror).pull(&app()).unwrap().image.id, image.id());
}

#[test]
fn a_tag_that_moves_is_followed() {
    let (site, old, new) = (Site::new(), Image::of(&["old"]), Image::of(&["new"]));
    site.put("library/app", "latest", &old);
    site.put("library/app", "gone", &old);
    let mirror = mirror_of(&site);
    let latest = "/v2/library/app/manifests/latest";
    assert_eq!(mirror.get(latest).body, old.manifest);
    assert_eq!(mirror.get("/v2/library/app/manifests/gone").status, 200);
    site.put("library/app", "latest", &new);
    site.state().manifests.remove(&("library/app".to_owned(), "gone".to_owned()));
    assert_eq!(mirror.get(latest).body, old.manifest, "it was looked up a moment ago");
    // One that has just been started has looked up nothing yet.
    let copy = tempfile::tempdir().unwrap();
    let from = mirror.folder.path().join("registry");
    assert!(std::process::Command::new("cp").arg("-r").arg(from).arg(copy.path()).status().unwrap().success());
    let address = format!("http://{}", site.host);
    let upstream = Upstream { address, settings: Home::new().settings, credentials: None };
    let host = serve_folder(copy.path(), |options| options.mirror = Some(upstream));
    let second = Served { host, folder: copy };
    assert_eq!(second.get(latest).body, new.manifest);
    assert_eq!(home_with(&second).pull(&app()).unwrap().image.id, new.id());
    let by_digest = second.get(&format!("/v2/library/app/manifests/{}", old.digest()));
    assert_eq!(by_digest.body, old.manifest, "what has a digest does not change");
    let gone = second.get("/v2/library/app/manifests/gone");
    assert_eq!(
        (gone.status, gone.code().as_str()),
        (404, "MANIFEST_UNKNOWN"),
        "what is no more there is not handed out"
    );
}

#[test]
fn a_mirror_goes_on_where_the_registry_broke_off() {
    let site = Site::with(Box::new(|request, state| {
        // All but the first half of a blob comes at the second try.
        let whole = request.path.contains("/blobs/") && request.header("range").is_none();
        let blob = || state.blobs.iter().find(|((_, digest), _)| request.path.ends_with(digest.as_str()));
        let (_, blob) = blob().filter(|_| whole && request.method == "GET")?;
        Some(Answer { breaks_off: true, ..answer(200, &blob[..blob.len() / 2]) })
    }));
    let image = Image::of(&["one", "two"]);
    site.put("library/app", "latest", &image);
    let mirror = mirror_of(&site);
    assert_eq!(home_with(&mirror).pull(&app()).unwrap().image.id, image.id());
    let digest = Digest::of(&image.layers[0]).to_string();
    assert_eq!(site.state().count("GET", &digest), 2, "a half each");
}

#[test]
fn who_leaves_a_mirror_early_leaves_a_whole_blob() {
    let (site, image) = (
        Site::with(Box::new(|request, _| {
            let slow = request.method == "GET" && request.path.contains("/blobs/");
            std::thread::sleep(Duration::from_millis(if slow { 200 } else { 0 }));
            None
        })),
        Image::of(&["one"]),
    );
    site.put("library/app", "latest", &image);
    let mirror = mirror_of(&site);
    let digest = Digest::of(&image.layers[0]);
    for _ in 0..3 {
        let mut stream = std::net::TcpStream::connect(&mirror.host).unwrap();
        write!(stream, "GET /v2/library/app/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = mirror.get(&format!("/v2/library/app/blobs/{digest}"));
    assert_eq!((told.status, told.body), (200, image.layers[0].clone()));
    assert_eq!(site.state().count("GET", &digest.to_string()), 1, "it was fetched once, for all who asked");
}

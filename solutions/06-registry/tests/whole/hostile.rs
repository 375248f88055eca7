//! A registry that lies: it gets nothing into the store, and an error that says what it did.

use super::http::answer;
use super::site::{Home, Image, Site};
use layers::Digest;
use layers::manifest::{Descriptor, Index, Manifest, Platform, media_type};

/// Pulls what must not come, and returns why it did not.
fn refused(site: &Site) -> String {
    let home = Home::new();
    let error = home.pull(&site.reference("app:v1")).unwrap_err().to_string();
    assert!(home.is_empty(), "nothing of it is visible after: {error}");
    error
}

#[test]
fn a_layer_with_other_bytes() {
    let site = Site::new();
    let image = Image::of(&["one"]);
    site.put("app", "v1", &image);
    let digest = Digest::of(&image.layers[0]).to_string();
    site.state().blobs.insert(("app".into(), digest.clone()), vec![0; image.layers[0].len()]);
    let error = refused(&site);
    assert!(error.starts_with(&format!("filesystem layer verification failed for digest {digest}")), "{error}");
    assert_eq!(site.state().count("GET", &digest), 2, "once more, for the network may have spoilt it");
}

#[test]
fn a_layer_that_goes_on_and_on() {
    let site = Site::new();
    let image = Image::of(&["one"]);
    site.put("app", "v1", &image);
    let key = ("app".to_owned(), Digest::of(&image.layers[0]).to_string());
    let mut longer = image.layers[0].clone();
    longer.resize(10 << 20, 0);
    site.state().blobs.insert(key, longer);
    let error = refused(&site);
    assert!(error.contains("wrong size"), "{error}");
}

#[test]
fn a_layer_that_never_comes_whole() {
    let image = Image::of(&["one"]);
    let digest = Digest::of(&image.layers[0]).to_string();
    let site = Site::with(Box::new(move |request, _| {
        request.path.ends_with(&digest).then(|| {
            let mut nothing = answer(200, "");
            nothing.breaks_off = true;
            nothing
        })
    }));
    site.put("app", "v1", &image);
    refused(&site);
}

#[test]
fn a_layer_that_is_shorter_than_was_promised() {
    let image = Image::of(&["one"]);
    let digest = Digest::of(&image.layers[0]).to_string();
    // Who asks for ever is sent away, and found out.
    let wanted = digest.clone();
    let site = Site::with(Box::new(move |_, state| (state.count("GET", &wanted) > 30).then(|| answer(404, ""))));
    site.put("app", "v1", &image);
    let shorter = image.layers[0][..image.layers[0].len() - 5].to_vec();
    site.state().blobs.insert(("app".into(), digest.clone()), shorter);
    refused(&site);
    let asked = site.state().count("GET", &digest);
    assert!((2..=30).contains(&asked), "it was asked for {asked} times");
}

#[test]
fn a_manifest_that_is_another_than_was_asked_for() {
    let (site, home) = (Site::new(), Home::new());
    let wanted = Digest::of(b"wanted");
    let image = Image::of(&["one"]);
    site.put("app", &wanted.to_string(), &image);
    let error = home.pull(&site.reference(&format!("app@{wanted}"))).unwrap_err().to_string();
    assert_eq!(error, format!("manifest verification failed for digest {wanted}"));
}

#[test]
fn a_manifest_larger_than_any() {
    let site = Site::new();
    let huge = vec![b' '; 5 << 20];
    site.state().manifests.insert(("app".into(), "v1".into()), (media_type::OCI_MANIFEST.into(), huge));
    assert!(refused(&site).contains("the answer has more than 4194304 bytes"));
}

#[test]
fn an_index_that_leads_to_itself() {
    let site = Site::new();
    // (Nobody can name a digest within what it is the digest of; but a chain that is too long can be made.)
    let mut inner = Image::of(&["one"]);
    site.put("app", "unused", &inner);
    for _ in 0..4 {
        let descriptor = Descriptor {
            platform: Some(Platform::host()),
            ..Descriptor::new(inner.media_type, inner.digest(), inner.manifest.len() as u64)
        };
        let manifest = serde_json::to_vec(&Index { manifests: vec![descriptor], ..Index::default() }).unwrap();
        inner = Image { manifest, media_type: media_type::OCI_INDEX, ..inner };
        site.put("app", "v1", &inner);
    }
    assert_eq!(refused(&site), "invalid index: indexes within indexes, too deep");
}

fn with_manifest(change: impl FnOnce(&mut Manifest)) -> String {
    let (site, mut image) = (Site::new(), Image::of(&["one"]));
    let mut manifest: Manifest = serde_json::from_slice(&image.manifest).unwrap();
    change(&mut manifest);
    image.manifest = serde_json::to_vec(&manifest).unwrap();
    site.put("app", "v1", &image);
    refused(&site)
}

#[test]
fn a_manifest_of_something_else() {
    let chart = "application/vnd.cncf.helm.config.v1+json";
    let error = with_manifest(|manifest| manifest.config.media_type = chart.to_owned());
    assert_eq!(error, format!("unsupported media type {chart}: this is no image that can be run"));
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let error = with_manifest(|manifest| manifest.layers[0].media_type = foreign.to_owned());
    assert!(error.contains("foreign"), "{error}");
}

#[test]
fn a_manifest_that_promises_too_much() {
    assert!(with_manifest(|manifest| manifest.layers[0].size = u64::MAX).contains("limit"));
    assert!(with_manifest(|manifest| manifest.config.size = 1 << 40).contains("a document may have"));
    assert!(with_manifest(|manifest| manifest.layers.push(manifest.layers[0].clone())).contains("it lists 2 layers"));
    let layer = |manifest: &Manifest| vec![manifest.layers[0].clone(); 10_000];
    assert!(with_manifest(|manifest| manifest.layers = layer(manifest)).contains("overlayfs"));
}

#[test]
fn a_redirect_to_what_is_no_web_address() {
    for location in ["file:///etc/passwd", "gopher://x/", "", "http://user@host/"] {
        let site = Site::with(Box::new(move |request, _| {
            request.path.contains("/manifests/").then(|| answer(302, "").with("Location", location))
        }));
        let error = refused(&site);
        assert!(error.contains("it redirects to what is no web address"), "{location:?}: {error}");
    }
    let site = Site::with(Box::new(|request, _| Some(answer(302, "").with("Location", &request.path))));
    assert!(refused(&site).contains("stopped after 10 redirects"));
}

#[test]
fn a_redirect_to_who_speaks_no_tls() {
    let plain = Site::new();
    let location = format!("https://{}/elsewhere", plain.host);
    let told = format!("Get \"{location}\": ");
    let site = Site::with(Box::new(move |request, _| {
        request.path.contains("/manifests/").then(|| answer(302, "").with("Location", &location))
    }));
    let error = refused(&site);
    assert!(error.contains(&told), "{error}");
}

#[test]
fn a_token_from_nowhere() {
    for realm in ["file:///etc/passwd", "", "x"] {
        let site = Site::with(Box::new(move |_, _| {
            Some(answer(401, "").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\"")))
        }));
        let error = refused(&site);
        assert!(error.contains("which is no web address"), "{realm:?}: {error}");
    }
}

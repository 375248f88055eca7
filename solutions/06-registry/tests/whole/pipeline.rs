//! Layers that are unpacked while they come, from a registry that sends what it likes.

use super::http::{Answer, Request, answer};
use super::site::{Home, Image, Site, State, layer};
use flate2::Compression;
use flate2::write::GzEncoder;
use layers::Digest;
use layers::digest::chain_ids;
use layers::unpack::Limits;
use std::io::Write as _;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One layer, gzipped, as it should be.
fn gzipped(content: &str) -> (Vec<u8>, Digest) {
    let layer = layer(content);
    (gzip(&layer), Digest::of(&layer))
}

/// A registry with this image, which answers to its layer as `tamper` says: to the first request, the second…
fn site(image: &Image, tamper: impl Fn(&Request, usize) -> Option<Answer> + Send + Sync + 'static) -> Site {
    let digest = Digest::of(&image.layers[0]).to_string();
    let rule = move |request: &Request, state: &mut State| {
        let asked = request.path.ends_with(&digest);
        asked.then(|| tamper(request, state.count("GET", &digest))).flatten()
    };
    let site = Site::with(Box::new(rule));
    site.put("app", "v1", image);
    site
}

/// Pulls an image that must not come, and returns why.
fn refused(home: &Home, site: &Site) -> String {
    let error = home.pull(&site.reference("app:v1")).unwrap_err().to_string();
    assert!(home.is_empty(), "nothing of it is there after: {error}");
    error
}

fn content(home: &Home, image: &Image) -> Vec<String> {
    let folders = chain_ids(&image.diff_ids).into_iter().map(|id| home.store.unpacked().path(&id).join("file"));
    folders.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn what_came_wrong_is_unpacked_anew() {
    let text = "a layer that comes wrong at first ".repeat(10_000);
    let image = Image::with(vec![gzipped(&text)]);
    let right = image.layers[0].clone();
    let half = right.len() / 2;
    let spoilt = |at: usize| right.iter().enumerate().map(|(i, b)| if i == at { b ^ 1 } else { *b }).collect();
    let another = gzip(&layer(&"something else ".repeat(10_000)));
    let no_archive = vec![7; right.len()];
    for wrong in [spoilt(0), spoilt(half), spoilt(right.len() - 1), another, no_archive] {
        let mut wrong: Vec<u8> = wrong;
        wrong.resize(right.len(), 0);
        let site = site(&image, move |_, time| (time == 1).then(|| answer(200, wrong.clone())));
        let home = Home::new();
        home.pull(&site.reference("app:v1")).unwrap();
        assert_eq!(content(&home, &image), std::slice::from_ref(&text));
    }
}

#[test]
fn a_download_that_cannot_be_gone_on_with_is_unpacked_anew() {
    let text = "a layer that breaks off ".repeat(10_000);
    let image = Image::with(vec![gzipped(&text)]);
    let right = image.layers[0].clone();
    // It breaks off; and then the registry knows of no ranges.
    let site = site(&image, move |_, time| {
        let half = &right[..right.len() / 2];
        Some(match time {
            1 => Answer { breaks_off: true, ..answer(200, half) },
            _ => answer(200, right.clone()),
        })
    });
    let home = Home::new();
    home.pull(&site.reference("app:v1")).unwrap();
    assert_eq!(content(&home, &image), [text]);
}

#[test]
fn a_layer_that_is_another_than_the_config_lists() {
    let (blob, _) = gzipped("one");
    let image = Image::with(vec![(blob, Digest::of(b"another"))]);
    let error = refused(&Home::new(), &site(&image, |_, _| None));
    assert!(error.contains("unpacks to the diff ID"), "{error}");
}

#[test]
fn an_archive_that_ends_early() {
    let layer = layer(&"one ".repeat(10_000));
    for cut in [1, 20, 600] {
        let mut blob = gzip(&layer);
        blob.truncate(blob.len().saturating_sub(cut).max(12));
        let image = Image::with(vec![(blob, Digest::of(&layer))]);
        let error = refused(&Home::new(), &site(&image, |_, _| None));
        assert!(error.contains("truncated"), "{error}");
    }
}

#[test]
fn a_bomb() {
    let layer = layer(&"0".repeat(40 << 20));
    let image = Image::with(vec![gzipped("below"), (gzip(&layer), Digest::of(&layer)), gzipped("above")]);
    let mut home = Home::new();
    home.store = home.store.clone().with_limits(Limits { bytes: 1 << 20, ..Limits::default() });
    let site = site(&image, |_, _| None);
    let error = home.pull(&site.reference("app:v1")).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than the limit of 1048576 bytes"), "{error}");
    assert!(home.store.images().unwrap().is_empty());
    let chain = chain_ids(&image.diff_ids);
    let left = home.store.unpacked().list().unwrap();
    assert!(!left.contains(&chain[1]) && !left.contains(&chain[2]), "neither the bomb nor what lies on it: {left:?}");
}

#[test]
fn a_layer_twice_comes_once() {
    let image = Image::with(vec![gzipped("one"), gzipped("two"), gzipped("one")]);
    let (site, home) = (site(&image, |_, _| None), Home::new());
    home.pull(&site.reference("app:v1")).unwrap();
    assert_eq!(content(&home, &image), ["one", "two", "one"]);
    assert_eq!(site.state().count("GET", &Digest::of(&image.layers[0]).to_string()), 1);
}

#[test]
fn layers_that_are_here_only_packed_are_unpacked() {
    let image = Image::with(vec![gzipped("one"), gzipped("two")]);
    let (site, home) = (site(&image, |_, _| None), Home::new());
    home.pull(&site.reference("app:v1")).unwrap();
    let chain = chain_ids(&image.diff_ids);
    home.store.unpacked().remove(&chain[1]).unwrap();
    home.pull(&site.reference("app:v1")).unwrap();
    assert_eq!(content(&home, &image), ["one", "two"]);
    assert_eq!(site.state().count("GET", "/blobs/"), 3, "each of them once, and the config");
}

#[test]
fn one_that_fails_keeps_the_others_from_nothing() {
    let image = Image::with(vec![gzipped("one"), gzipped("two"), gzipped("three")]);
    let broken = Digest::of(&image.layers[1]).to_string();
    let rule = move |request: &Request, _: &mut State| request.path.ends_with(&broken).then(|| answer(404, ""));
    let failing = Site::with(Box::new(rule));
    failing.put("app", "v1", &image);
    let home = Home::new();
    home.pull(&failing.reference("app:v1")).unwrap_err();
    let chain = chain_ids(&image.diff_ids);
    let left = home.store.unpacked().list().unwrap();
    assert!(left.iter().all(|id| *id == chain[0]), "above one that is missing there is none: {left:?}");
    // Somebody else has it.
    let good = site(&image, |_, _| None);
    home.pull(&good.reference("app:v1")).unwrap();
    assert_eq!(content(&home, &image), ["one", "two", "three"]);
}

//! What a cache mount's folder is shared by.

use build::instruction::{Mount, MountKind, Sharing};
use layers::Digest;
use multi_stage::cache_mount::shared_by;

const CACHE: &str = "Read: Dockerfile reference, \"RUN --mount=type=cache\"";

fn cache(target: &str) -> Mount {
    Mount { kind: MountKind::Cache, target: Some(target.to_owned()), ..Mount::default() }
}

fn with_id(id: &str, target: &str) -> Mount {
    Mount { id: Some(id.to_owned()), ..cache(target) }
}

#[test]
fn the_id_decides_and_without_one_the_target() {
    let key = |mount: &Mount| shared_by(mount, None);
    assert_eq!(
        key(&with_id("go", "/root/.cache")),
        key(&with_id("go", "/home/app/.cache")),
        "both say id=go: it is one cache, wherever it is mounted. {CACHE}"
    );
    assert_ne!(
        key(&with_id("go", "/root/.cache")),
        key(&with_id("rust", "/root/.cache")),
        "id=go and id=rust are two caches, though they are mounted in one place. {CACHE}"
    );
    assert_ne!(key(&cache("/a")), key(&cache("/b")), "neither has an id: then the target is the id. {CACHE}");
    assert_eq!(
        key(&cache("/var/cache/apt")),
        key(&with_id("/var/cache/apt", "/elsewhere")),
        "an id that says what the target would say is the same cache: the target *is* the id, where there is none. {CACHE}"
    );
    for spelled in ["/var/cache/apt/", "/var//cache/apt", "/var/./cache/apt"] {
        assert_eq!(
            key(&cache("/var/cache/apt")),
            key(&cache(spelled)),
            "{spelled} is the same path as /var/cache/apt, spelled otherwise. `cleaned` knows. {CACHE}"
        );
    }
}

#[test]
fn what_it_begins_with_is_part_of_it() {
    let [one, other] = ["one", "other"].map(|image| Digest::of(image.as_bytes()));
    let seeded =
        |source: Option<&str>, from| shared_by(&Mount { source: source.map(str::to_owned), ..cache("/c") }, from);
    assert_ne!(
        seeded(None, None),
        seeded(None, Some(one)),
        "one begins empty, the other with an image's files. {CACHE}"
    );
    assert_ne!(
        seeded(None, Some(one)),
        seeded(None, Some(other)),
        "they begin with other files: who asks for the second must not get what came of the first. {CACHE}"
    );
    assert_ne!(
        seeded(Some("/a"), Some(one)),
        seeded(Some("/b"), Some(one)),
        "they begin with other folders of the same image. {CACHE}"
    );
    assert_eq!(seeded(None, Some(one)), seeded(Some("/"), Some(one)), "without a source it is all of it: /. {CACHE}");
}

#[test]
fn owner_and_mode_are_part_of_it_and_how_it_is_shared_is_not() {
    let key = |mount: &Mount| shared_by(mount, None);
    let plain = cache("/c");
    for (what, changed) in [
        ("mode=0700", Mount { mode: Some(0o700), ..plain.clone() }),
        ("uid=1000", Mount { uid: Some(1000), ..plain.clone() }),
        ("gid=1000", Mount { gid: Some(1000), ..plain.clone() }),
    ] {
        assert_ne!(
            key(&plain),
            key(&changed),
            "{what}: a folder is made once, with its owner and mode; who asks for others cannot get the same. {CACHE}"
        );
    }
    let number = |uid, gid| key(&Mount { uid, gid, ..plain.clone() });
    assert_ne!(number(Some(1), None), number(None, Some(1)), "user 1 is not group 1. {CACHE}");
    for sharing in [Sharing::Private, Sharing::Locked] {
        assert_eq!(
            key(&plain),
            key(&Mount { sharing, ..plain.clone() }),
            "sharing={sharing:?} says how long to wait for others, not which files they are: a step that locks the cache and \
             one that does not use the same. {CACHE}"
        );
    }
    assert_eq!(
        key(&plain),
        key(&Mount { readonly: Some(true), ..plain.clone() }),
        "only to read it is no other cache. {CACHE}"
    );
}

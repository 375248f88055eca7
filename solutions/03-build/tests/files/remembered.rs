//! What is known of a file is known as long as it is the same, and not a moment longer.

use std::fs;
use std::path::Path;
use std::time::Duration;

use layers::Digest;
use solution_3::context::Context;
use solution_3::copy;
use solution_3::instruction::Copy;

fn digest(folder: &Path, cache: Option<&Path>) -> Digest {
    let context = Context::folder(folder, cache).unwrap();
    let copy = Copy { sources: vec![".".into()], destination: "/".into(), ..Copy::default() };
    copy::resolve(&copy, "/", context.tree(), None).unwrap().digest()
}

#[test]
fn what_was_not_touched_is_not_read_again() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(folder.path().join("d")).unwrap();
    for name in ["a", "d/b", "d/c\nd"] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    std::thread::sleep(Duration::from_millis(50));
    let first = digest(folder.path(), Some(cache.path()));
    assert_eq!(first, digest(folder.path(), None));
    assert_eq!(first, digest(folder.path(), Some(cache.path())));
    // That it is taken from memory shows only when that is wrong.
    let file = fs::read_dir(cache.path().join("contents")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    let lie = text.replace(&Digest::of(b"d/b").hex(), &Digest::of(b"a lie").hex());
    assert_ne!(text, lie, "{text}");
    fs::write(&file, lie).unwrap();
    assert_ne!(first, digest(folder.path(), Some(cache.path())));
    // Touched, it is read again.
    fs::write(folder.path().join("d/b"), "d/b").unwrap();
    assert_eq!(first, digest(folder.path(), Some(cache.path())));
}

/// git calls it racy: the clock that stamps files goes in ticks, and a file can be changed twice in one.
#[test]
fn a_change_right_after_it_was_read_is_noticed() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut last = None;
    for round in 0..300 {
        fs::write(folder.path().join("a"), format!("{round:04}")).unwrap();
        let digest = digest(folder.path(), Some(cache.path()));
        assert_ne!(last, Some(digest), "the change of round {round} was not noticed");
        last = Some(digest);
    }
}

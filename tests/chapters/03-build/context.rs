//! What a COPY is known by.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use build::context::Context;
use build::copy::resolve;
use build::instruction::Copy;
use layers::Digest;
use tempfile::TempDir;

const CONTENT: &str =
    "Read: Docker docs, \"Build cache invalidation\", on ADD and COPY; the task in src/context/entry.rs";

/// A folder with these files, all of mode 644; it goes with the value, also where a test fails.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    }
    folder
}

/// What `COPY . /app` of this folder is known by.
fn copied(folder: &Path) -> Digest {
    let context = Context::folder(folder, None).unwrap();
    let copy = Copy { sources: vec![".".to_owned()], destination: "/app".to_owned(), ..Copy::default() };
    resolve(&copy, "/", context.tree(), None).unwrap().digest()
}

fn touch(path: &Path, seconds: u64) {
    File::open(path).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_fresh_checkout_is_the_same_content() {
    let files = [("main.rs", "fn main() {}"), ("src/lib.rs", ""), ("src/a/b.rs", "//")];
    let (mine, yours) = (folder(&files), folder(&files));
    for (path, _) in files {
        touch(&mine.path().join(path), 1_000_000_000);
        touch(&yours.path().join(path), 1_700_000_000);
    }
    assert_eq!(
        copied(mine.path()),
        copied(yours.path()),
        "two folders with the same names, modes and bytes, checked out 22 years apart, on files with other inodes. If times \
         were part of it, no build in CI would ever find anything in its cache. {CONTENT}"
    );
}

#[test]
fn content_name_and_mode_make_a_difference() {
    let one = folder(&[("a/run.sh", "echo 1"), ("b", "")]);
    let before = copied(one.path());
    assert_eq!(before, copied(one.path()), "nothing has changed");
    for (other, why) in [
        (folder(&[("a/run.sh", "echo 2"), ("b", "")]), "a byte is another, and neither size nor name tell"),
        (folder(&[("a/run.sh", "echo 1"), ("c", "")]), "a file has another name"),
        (folder(&[("a/run.sh", "echo 1"), ("b", ""), ("c", "")]), "there is one file more"),
        (folder(&[("A/run.sh", "echo 1"), ("b", "")]), "a folder has another name"),
    ] {
        assert_ne!(before, copied(other.path()), "{why}: it has to be copied again. {CONTENT}");
    }
    fs::set_permissions(one.path().join("a/run.sh"), Permissions::from_mode(0o755)).unwrap();
    let executable = copied(one.path());
    assert_ne!(
        before, executable,
        "after chmod +x the image would hold another file: the mode is part of it. {CONTENT}"
    );
    fs::remove_file(one.path().join("b")).unwrap();
    symlink("x", one.path().join("b")).unwrap();
    assert_ne!(executable, copied(one.path()), "a file has become a link: its kind is part of it. {CONTENT}");
}

#[test]
fn two_files_never_look_like_one() {
    let (two, one) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    symlink("x", two.path().join("a")).unwrap();
    symlink("y", two.path().join("b")).unwrap();
    // What follows the `x` where nothing says that it ended: the name of the next link, its letter, mode, owner and group.
    symlink(format!("xbl{}00y", 0o777), one.path().join("a")).unwrap();
    assert_ne!(
        copied(two.path()),
        copied(one.path()),
        "two links, a -> x and b -> y, against one whose target is spelt as all that would follow the x. Where it is not said \
         how long each field is, they are the same bytes: somebody may choose names so that the cache takes one for the other. \
         `field` says it. {CONTENT}"
    );
}

#[test]
fn the_digest_is_of_these_fields() {
    let folder = folder(&[("a.txt", "hello"), ("s/b", "")]);
    let content = |bytes: &str| Digest::of(bytes.as_bytes()).to_string();
    let (hello, nothing) = (content("hello"), content(""));
    let fields = [
        ["a.txt", "-", "420", "0", "0", &hello],
        ["s", "d", "493", "0", "0", ""],
        ["s/b", "-", "420", "0", "0", &nothing],
    ];
    let text: String = fields.iter().flatten().map(|field| format!("{} {field}", field.len())).collect();
    let entries = Digest::of(text.as_bytes()).to_string();
    // A step may have several sources; each has a name, which a folder has not, and the digest of its entries.
    let whole = Digest::of(format!("0 {} {entries}", entries.len()).as_bytes());
    assert_eq!(
        copied(folder.path()),
        whole,
        "of each entry: path, letter, mode (420 is 0o644), owner, group, content; of each field its length, a space, the \
         field. For these three entries the text that is hashed is\n{text}\n{CONTENT}"
    );
}

//! What a container changed, as a list and as a layer.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use layers::diff::{ChangeKind, changes, write_layer};
use layers::unpack::Whiteouts;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::archive::{Ground, Writable, listing};
use super::sandbox::sandboxed;

const CHANGES: &str =
    "Read: kernel, Documentation/filesystems/overlayfs.rst, \"whiteouts and opaque directories\"; stat(2)";

/// The list as `docker diff` prints it.
fn told(upper: &Path, lower: &[PathBuf]) -> String {
    let line = |change: &layers::diff::Change| {
        let letter = match change.kind {
            ChangeKind::Modified => 'C',
            ChangeKind::Added => 'A',
            ChangeKind::Deleted => 'D',
        };
        format!("{letter} {}", change.path.display())
    };
    changes(upper, lower).unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Makes a tree: names that end in `/` are folders, all of the same time.
fn tree(root: &Path, names: &[&str]) {
    for name in names {
        let path = root.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(&path).unwrap();
        } else {
            fs::write(&path, "").unwrap();
        }
    }
    for folder in names.iter().filter(|name| name.ends_with('/')) {
        touch(&root.join(folder), 1_000_000);
    }
}

fn touch(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    fs::File::open(path).unwrap().set_modified(time).unwrap();
}

/// What overlayfs leaves in the upper folder for a file that was removed (mknod(2): a character device 0:0).
fn whiteout(path: &Path) {
    mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), makedev(0, 0)).unwrap();
}

sandboxed! {
    fn an_upper_folder_tells_what_changed() {
        let below = Ground::new();
        tree(&below.root(), &["etc/", "etc/group", "etc/passwd", "var/", "var/log/", "var/log/old", "usr/", "srv/", "opt"]);
        // As overlayfs would leave it: someone removed etc/group and var/log/old, wrote etc/passwd, made srv/new, closed
        // usr to others, and put a folder in the place of the file opt.
        let writable = Writable::new();
        let upper = writable.upper();
        tree(&upper, &["etc/", "etc/passwd", "var/", "var/log/", "usr/", "srv/", "srv/new", "opt/"]);
        whiteout(&upper.join("etc/group"));
        whiteout(&upper.join("var/log/old"));
        for folder in ["etc", "var", "srv"] {
            touch(&upper.join(folder), 1_000_000);
        }
        touch(&upper.join("var/log"), 2_000_000);
        fs::set_permissions(upper.join("usr"), fs::Permissions::from_mode(0o700)).unwrap();
        insta::with_settings!({description => format!("(-: expected, +: yours) `docker diff`: A is added, C is changed, D is deleted. A whiteout \
            is a deletion. What no layer below shows is added. All else is a change. The folders on the way to a change \
            are entered as C by the caller. {CHANGES}")}, {
            insta::assert_snapshot!(told(&upper, &[below.root()]));
        });
    }

    fn a_folder_that_was_only_on_the_way_is_no_change() {
        let below = Ground::new();
        tree(&below.root(), &["same/", "time/", "mode/", "file"]);
        let writable = Writable::new();
        let upper = writable.upper();
        tree(&upper, &["same/", "time/", "mode/", "file"]);
        touch(&below.root().join("file"), 5);
        touch(&upper.join("file"), 5);
        assert_eq!(
            told(&upper, &[below.root()]),
            "C /file",
            "The three folders were copied up on the way to something, and have the mode, owner, group and time of those \
             below: no change. A file is only copied up to be written to, so it is one, even with the same time. {CHANGES}"
        );
        touch(&upper.join("time"), 6);
        fs::set_permissions(upper.join("mode"), fs::Permissions::from_mode(0o711)).unwrap();
        assert_eq!(
            told(&upper, &[below.root()]),
            "C /file\nC /mode\nC /time",
            "A folder whose own mode or time is another than below has changed. {CHANGES}"
        );
    }

    fn what_no_layer_can_hold_is_left_out_and_told() {
        let writable = Writable::new();
        let _socket = std::os::unix::net::UnixListener::bind(writable.upper().join("socket")).unwrap();
        fs::write(writable.upper().join(".wh.trap"), "").unwrap();
        fs::write(writable.upper().join("file"), "").unwrap();
        let mut archive = Vec::new();
        let notes = write_layer(&writable.upper(), &mut archive).unwrap();
        assert_eq!(notes.len(), 2, "{notes:?}");
        let ground = Ground::new();
        ground.unpack_as(Whiteouts::Overlay, &archive).unwrap();
        assert_eq!(listing(&ground.root()), ["file"]);
    }

    fn links_that_change_under_the_hand_are_not_followed() {
        let ground = Ground::new();
        symlink("../outside", ground.root().join("way")).unwrap();
        let mut archive = Vec::new();
        write_layer(&ground.root(), &mut archive).unwrap();
        let copy = Ground::new();
        copy.unpack_as(Whiteouts::Overlay, &archive).unwrap();
        assert_eq!(listing(&copy.root()), ["way"]);
        assert_eq!(fs::read_link(copy.root().join("way")).unwrap(), Path::new("../outside"));
    }
}

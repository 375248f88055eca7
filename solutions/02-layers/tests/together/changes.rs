//! What a container changed in a mounted stack, as a list and as a layer.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use layers::diff::{ChangeKind, changes, write_layer};
use layers::overlay;
use layers::unpack::Whiteouts;

use super::archive::{Entry, Ground, Writable, layer, listing, seen};
use super::sandbox::sandboxed;

/// The list as `docker diff` prints it.
fn told(upper: &Path, lower: &[&Ground]) -> Vec<String> {
    let lower: Vec<_> = lower.iter().map(|layer| layer.root()).collect();
    let letter = |kind| match kind {
        ChangeKind::Modified => 'C',
        ChangeKind::Added => 'A',
        ChangeKind::Deleted => 'D',
    };
    changes(upper, &lower)
        .unwrap()
        .iter()
        .map(|change| format!("{} {}", letter(change.kind), change.path.display()))
        .collect()
}

/// A layer, and one on top of it that hides part of it.
fn stack() -> [Ground; 2] {
    let below = [
        Entry::folder("etc/"),
        Entry::file("etc/passwd", "root"),
        Entry::file("etc/group", "root"),
        Entry::file("etc/deep/quiet", ""),
        Entry::file("hidden", ""),
        Entry::file("var/cache/one", ""),
        Entry::file("var/cache/two", ""),
        Entry::file("usr/bin/tool", ""),
    ];
    let above = [Entry::file(".wh.hidden", ""), Entry::folder("etc/"), Entry::file("etc/hosts", "")];
    [layer(below), layer(above)]
}

/// What somebody does in a container.
fn work(root: &Path) {
    fs::write(root.join("etc/passwd"), "changed").unwrap();
    fs::remove_file(root.join("etc/group")).unwrap();
    fs::write(root.join("hidden"), "again").unwrap();
    fs::remove_dir_all(root.join("var/cache")).unwrap();
    fs::create_dir(root.join("var/cache")).unwrap();
    fs::write(root.join("var/cache/two"), "other").unwrap();
    fs::create_dir(root.join("new")).unwrap();
    fs::write(root.join("new/file"), "").unwrap();
    symlink("file", root.join("new/link")).unwrap();
    fs::hard_link(root.join("new/file"), root.join("new/other-name")).unwrap();
    fs::set_permissions(root.join("usr/bin"), fs::Permissions::from_mode(0o700)).unwrap();
}

sandboxed! {
    fn the_list_of_changes() {
        let [below, above] = stack();
        let writable = Writable::new();
        let mount = overlay::mount(&[below.root(), above.root()], Some((&writable.upper(), &writable.work()))).unwrap();
        work(&seen(&mount));
        let expected = [
            "C /etc",
            "D /etc/group",
            "C /etc/passwd",
            "A /hidden",
            "A /new",
            "A /new/file",
            "A /new/link",
            "A /new/other-name",
            "C /usr",
            "C /usr/bin",
            "C /var",
            "C /var/cache",
            "D /var/cache/one",
            "C /var/cache/two",
        ];
        assert_eq!(told(&writable.upper(), &[&below, &above]), expected);
    }

    fn a_layer_made_of_the_changes_shows_the_same() {
        let [below, above] = stack();
        let writable = Writable::new();
        let lower = [below.root(), above.root()];
        let mount = overlay::mount(&lower, Some((&writable.upper(), &writable.work()))).unwrap();
        work(&seen(&mount));
        let mut archive = Vec::new();
        assert_eq!(write_layer(&writable.upper(), &mut archive).unwrap(), [] as [&str; 0]);

        let top = Ground::new();
        top.unpack_as(Whiteouts::Overlay, &archive).unwrap();
        let again = overlay::mount(&[below.root(), above.root(), top.root()], None).unwrap();
        assert_eq!(listing(&seen(&again)), listing(&seen(&mount)));
        assert_eq!(fs::read_to_string(seen(&again).join("etc/passwd")).unwrap(), "changed");

        // And byte for byte the same once more.
        let mut second = Vec::new();
        write_layer(&top.root(), &mut second).unwrap();
        assert!(archive == second, "the same files have to give the same layer");

        // A flat folder shows the same as the stack.
        let flat = Ground::new();
        for folder in [&below, &above, &top] {
            let mut archive = Vec::new();
            write_layer(&folder.root(), &mut archive).unwrap();
            flat.unpack_as(Whiteouts::Apply, &archive).unwrap();
        }
        assert_eq!(listing(&flat.root()), listing(&seen(&mount)));
    }
}

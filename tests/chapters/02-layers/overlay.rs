//! Stacks of layers, mounted.

use std::fs;
use std::path::{Path, PathBuf};

use layers::{Error, overlay};

use super::archive::{Entry, Writable, layer, listing, seen};
use super::sandbox::sandboxed;

const STACK: &str = "Read: kernel, Documentation/filesystems/overlayfs.rst, \"Multiple lower layers\"";

/// What overlayfs is told, a line a folder.
fn told(lower: &[&str], upper_work: Option<(&str, &str)>) -> String {
    let lower: Vec<PathBuf> = lower.iter().map(PathBuf::from).collect();
    let upper_work = upper_work.map(|(upper, work)| (Path::new(upper), Path::new(work)));
    let folders = overlay::folders(&lower, upper_work);
    folders.iter().map(|(key, folder)| format!("{key:9} {}", folder.display())).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_topmost_layer_is_given_first() {
    insta::with_settings!({description => format!("(-: expected, +: yours) An image of three layers, lowest first: debian, python, app; and a \
        container's own folders. overlayfs searches its lower folders in the order they were given, so the topmost comes \
        first and the lowest last. {STACK}")}, {
        insta::assert_snapshot!("container", told(&["debian", "python", "app"], Some(("container/upper", "container/work"))));
    });
    insta::with_settings!({description => format!("(-: expected, +: yours) The same image, to be looked at only: without an upper folder the \
        overlay is read-only, and needs no work folder. {STACK}")}, {
        insta::assert_snapshot!("read_only", told(&["debian", "python", "app"], None));
    });
}

sandboxed! {
    fn of_two_files_the_upper_layers_is_seen() {
        let debian = layer([Entry::file("etc/motd", "debian"), Entry::file("bin/sh", "")]);
        let python = layer([Entry::file("etc/motd", "python"), Entry::file("bin/python", "")]);
        let app = layer([Entry::file("etc/motd", "app"), Entry::file("srv/app.py", "")]);
        let mount = overlay::mount(&[debian.root(), python.root(), app.root()], None).unwrap();
        let seen = seen(&mount);
        let all = ["bin", "bin/python", "bin/sh", "etc", "etc/motd", "srv", "srv/app.py"];
        assert_eq!(listing(&seen), all, "an overlay shows the files of all layers, and merges folders of one name. {STACK}");
        let motd = fs::read_to_string(seen.join("etc/motd")).unwrap();
        assert_eq!(motd, "app", "all three layers hold etc/motd; that of the topmost, the last one given, is seen. {STACK}");
        let refused = fs::write(seen.join("new"), "").unwrap_err().kind();
        assert_eq!(refused, std::io::ErrorKind::ReadOnlyFilesystem, "layers are shared by all images: nobody writes to them");
    }

    fn writes_go_to_the_upper_folder() {
        let below = layer([Entry::file("a", "below"), Entry::file("b", "below")]);
        let writable = Writable::new();
        let container = || overlay::mount(&[below.root()], Some((&writable.upper(), &writable.work()))).unwrap();
        let mount = container();
        let write = |name: &str| fs::write(seen(&mount).join(name), "above").unwrap_or_else(|error| {
            panic!("a container must be able to write to /{name}: {error}. Were upperdir and workdir given? {STACK}")
        });
        write("a");
        write("c");
        fs::remove_file(seen(&mount).join("b")).unwrap();
        let kept = fs::read_to_string(below.root().join("a")).unwrap();
        assert_eq!(kept, "below", "what a container changes is copied up first: the layer below stays as it was");
        assert_eq!(listing(&writable.upper()), ["a", "b", "c"], "in the upper folder: what was written, and a mark for b");
        drop(mount);
        assert_eq!(listing(&seen(&container())), ["a", "c"], "mounted once more, the container's writes are there again");
    }

    fn one_layer_needs_no_stack() {
        let single = layer([Entry::file("a", "")]);
        let mount = overlay::mount(&[single.root()], None).unwrap();
        assert_eq!(listing(&seen(&mount)), ["a"]);
        let refused = fs::write(seen(&mount).join("new"), "").unwrap_err().kind();
        assert_eq!(refused, std::io::ErrorKind::ReadOnlyFilesystem, "a shared layer is never written to");
        assert!(matches!(overlay::mount(&[], None), Err(Error::NoLayers)));
        let writable = Writable::new();
        let mount = overlay::mount(&[], Some((&writable.upper(), &writable.work()))).unwrap();
        fs::write(seen(&mount).join("b"), "").unwrap();
        assert_eq!(listing(&writable.upper()), ["b"]);
    }
}

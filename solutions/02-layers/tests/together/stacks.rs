//! Stacks of layers, mounted: whiteouts in them, very many of them, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use layers::{Error, overlay};

use super::archive::{Entry, Writable, layer, listing, seen};
use super::sandbox::sandboxed;

/// How many mounts this process sees: a detached one is not among them.
fn mounts() -> usize {
    fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count()
}

fn is_read_only(folder: &Path) -> bool {
    fs::write(folder.join("new"), "").is_err_and(|error| error.kind() == std::io::ErrorKind::ReadOnlyFilesystem)
}

sandboxed! {
    fn whiteouts_count_in_a_stack() {
        let below = layer([Entry::file("a", "below"), Entry::file("b", "below"), Entry::file("d/x", ""), Entry::file("o/x", "")]);
        let above = layer([Entry::file("b", "above"), Entry::file(".wh.a", ""), Entry::file("d/y", ""), Entry::file("o/.wh..wh..opq", ""), Entry::file("o/z", "")]);
        let before = mounts();
        let mount = overlay::mount(&[below.root(), above.root()], None).unwrap();
        let seen = seen(&mount);
        assert_eq!(listing(&seen), ["b", "d", "d/x", "d/y", "o", "o/z"]);
        assert_eq!(fs::read_to_string(seen.join("b")).unwrap(), "above");
        assert!(is_read_only(&seen));
        assert_eq!(mounts(), before, "the mount is detached");
    }

    fn a_volatile_mount_can_be_made_again() {
        let below = layer([Entry::file("a", "")]);
        let writable = Writable::new();
        for name in ["one", "two"] {
            let mount = overlay::mount_volatile(&[below.root()], &writable.upper(), &writable.work()).unwrap();
            fs::write(seen(&mount).join(name), "").unwrap();
        }
        assert_eq!(listing(&writable.upper()), ["one", "two"]);
    }

    fn any_number_of_layers() {
        let folder = tempfile::tempdir().unwrap();
        // Longer than the kernel takes for a path, with the letters that separate options.
        let deep = folder.path().join("x".repeat(200)).join(format!("a:b,c\\{}", "y".repeat(100)));
        let layers: Vec<PathBuf> = (0..501).map(|number| deep.join(number.to_string())).collect();
        for (number, layer) in layers.iter().enumerate() {
            fs::create_dir_all(layer).unwrap();
            fs::write(layer.join("top"), number.to_string()).unwrap();
            fs::write(layer.join(format!("of-{number}")), "").unwrap();
        }
        let writable = Writable::new();
        let mount = overlay::mount(&layers[..500], Some((&writable.upper(), &writable.work()))).unwrap();
        assert_eq!(fs::read_to_string(seen(&mount).join("top")).unwrap(), "499");
        assert_eq!(listing(&seen(&mount)).len(), 501);
        assert!(matches!(overlay::mount(&layers, None), Err(Error::TooManyLayers(501))));
    }

    fn any_name_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        // Letters that separate options, or folders, or escape the next one; and a short path, which goes as it is.
        for name in ["a,b:c d", "a\\b", "a\\:b,c\\"] {
            let made = ["lower", "other", "upper", "work"].map(|part| folder.path().join(name).join(part));
            made.iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
            let [lower, other, upper, work] = made;
            fs::write(lower.join("a"), "").unwrap();
            let layers = [lower, other];
            for volatile in [false, true] {
                let mount = match volatile {
                    false => overlay::mount(&layers, Some((&upper, &work))),
                    true => overlay::mount_volatile(&layers, &upper, &work),
                };
                let mount = mount.unwrap();
                fs::write(seen(&mount).join("b"), "").unwrap();
                assert_eq!(listing(&seen(&mount)), ["a", "b"], "{name}");
            }
            assert_eq!(listing(&upper), ["b"], "{name}");
        }
    }

    fn a_refused_mount_says_why() {
        let below = layer([]);
        let writable = Writable::new();
        let absent = writable.upper().join("absent");
        let error = overlay::mount(&[below.root(), absent.clone()], None).unwrap_err().to_string();
        assert!(error.contains("add a layer") || error.contains("absent"), "{error}");
        let error = overlay::mount(&[below.root()], Some((&writable.upper(), Path::new("/proc")))).unwrap_err().to_string();
        assert!(error.starts_with("cannot mount overlay ("), "{error}");
assert!(error.contains("dmesg"), "what to do next: {error}");
    }
}

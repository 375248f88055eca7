//! Whiteouts: what a layer says about those below it, in a stack and in a flat folder.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use layers::unpack::Whiteouts;

use super::archive::{Entry, Ground, listing, tar};
use super::sandbox::sandboxed;

fn is_whiteout(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|status| status.file_type().is_char_device() && status.rdev() == 0)
}

fn is_opaque(path: &Path) -> bool {
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| xattr::get(path, name).unwrap().is_some())
}

sandboxed! {
    fn whiteouts_become_the_marks_of_overlayfs() {
        let ground = Ground::new();
        let entries = [
            Entry::folder("a/").mtime(5),
            Entry::file("a/.wh.gone", ""),
            Entry::folder("b/"),
            Entry::file("b/.wh..wh..opq", ""),
            Entry::file("c/d/.wh.e", ""),
            Entry::file(".wh..wh.plnk", ""),
            Entry::file(".wh..wh.aufs", ""),
        ];
        ground.unpack(entries).unwrap();
        let root = ground.root();
        assert_eq!(listing(&root), ["a", "a/gone", "b", "c", "c/d", "c/d/e"]);
        assert!(is_whiteout(&root.join("a/gone")));
        assert!(is_whiteout(&root.join("c/d/e")));
        assert!(is_opaque(&root.join("b")));
        assert!(!is_opaque(&root.join("a")));
        assert_eq!(fs::metadata(root.join("a")).unwrap().mtime(), 5, "whiteouts come before the times of folders");
    }

    fn a_whiteout_never_hides_what_is_in_its_own_layer() {
        // In whatever order they come (OCI image-spec, layer.md).
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let ground = Ground::new();
            let entries = [Entry::file("f", "new"), Entry::file("d/inner", "new"), Entry::file(".wh.f", "")];
            let marks = [Entry::file(".wh.d", ""), Entry::file("d/.wh.inner", "")];
            ground.unpack(order.map(|index| entries[index].clone()).into_iter().chain(marks)).unwrap();
            let root = ground.root();
            assert_eq!(fs::read_to_string(root.join("f")).unwrap(), "new");
            assert_eq!(fs::read_to_string(root.join("d/inner")).unwrap(), "new");
            assert!(is_opaque(&root.join("d")), "the folder below is hidden, the one of this layer is not merged with it");
        }
    }
}

sandboxed! {
    fn whiteouts_in_a_flat_folder_remove_what_is_older() {
        let ground = Ground::new();
        let apply = |entries: Vec<Entry>| ground.unpack_as(Whiteouts::Apply, &tar(entries)).unwrap();
        apply(vec![
            Entry::file("file", ""),
            Entry::file("folder/one", ""),
            Entry::file("folder/two", ""),
            Entry::file("opaque/old", ""),
            Entry::file("opaque/deep/old", ""),
            Entry::file("replaced/old", ""),
        ]);
        apply(vec![
            Entry::file(".wh.file", ""),
            Entry::file("folder/.wh.one", ""),
            Entry::file("opaque/new", ""),
            Entry::file("opaque/deep/new", ""),
            Entry::file("opaque/.wh..wh..opq", ""),
            Entry::file("replaced/new", ""),
            Entry::file(".wh.replaced", ""),
            Entry::file(".wh.never-was", ""),
        ]);
        let left =
            ["folder", "folder/two", "opaque", "opaque/deep", "opaque/deep/new", "opaque/new", "replaced", "replaced/new"];
        assert_eq!(listing(&ground.root()), left);
    }

    fn where_there_are_no_layers_there_are_no_whiteouts() {
        let ground = Ground::new();
        ground.unpack_as(Whiteouts::Keep, &tar([Entry::file("x", ""), Entry::file(".wh.x", "kept")])).unwrap();
        assert_eq!(listing(&ground.root()), [".wh.x", "x"]);
    }
}

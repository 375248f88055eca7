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

const WHITEOUTS: &str = "Read: OCI image-spec, layer.md, \"Whiteouts\"; kernel, overlayfs.rst, \"whiteouts and opaque \
    directories\"";

/// What a layer's folder holds, and what overlayfs makes of it.
fn shown(root: &Path) -> String {
    let line = |path: String| {
        let full = root.join(&path);
        match () {
            () if is_whiteout(&full) => format!("{path:12} whiteout: nothing of this name shows"),
            () if full.is_dir() && is_opaque(&full) => {
                format!("{path:12} opaque folder: nothing of the layers below shows in it")
            }
            () if full.is_dir() => format!("{path:12} folder, merged with those below"),
            () => format!("{path:12} file"),
        }
    };
    listing(root).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

sandboxed! {
    fn whiteouts_become_the_marks_of_overlayfs() {
        let ground = Ground::new();
        let entries = [
            Entry::folder("a/").mtime(5),
            Entry::file("a/.wh.gone", ""),
            Entry::folder("b/"),
            Entry::file("b/.wh..wh..opq", ""),
            Entry::file("b/new", ""),
            Entry::file("c/d/.wh.e", ""),
            Entry::file(".wh..wh.plnk", ""),
            Entry::file(".wh..wh.aufs", ""),
        ];
        ground.unpack(entries).unwrap();
        insta::with_settings!({description => format!("(-: expected, +: yours) A layer with the entries a/.wh.gone, b/.wh..wh..opq, b/new and \
            c/d/.wh.e, unpacked. `.wh.name` becomes a character device 0:0 called name, and `.wh..wh..opq` a mark on its \
            folder; files called .wh.… are never unpacked. {WHITEOUTS}")}, {
            insta::assert_snapshot!(shown(&ground.root()));
        });
        let time = fs::metadata(ground.root().join("a")).unwrap().mtime();
        assert_eq!(time, 5, "whiteouts come before the times of folders");
    }

    fn a_whiteout_never_hides_what_is_in_its_own_layer() {
        // In whatever order they come (OCI image-spec, layer.md).
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let ground = Ground::new();
            let entries = [Entry::file("f", "new"), Entry::file("d/inner", "new"), Entry::file(".wh.f", "")];
            let others = [Entry::file(".wh.d", ""), Entry::file("e/inner", "new"), Entry::file("e/.wh.inner", "")];
            ground.unpack(order.map(|index| entries[index].clone()).into_iter().chain(others)).unwrap();
            let root = ground.root();
            for file in ["f", "d/inner", "e/inner"] {
                assert_eq!(
                    fs::read_to_string(root.join(file)).ok().as_deref(),
                    Some("new"),
                    "{file} is in the same layer as its whiteout, which only means those below. {WHITEOUTS}"
                );
            }
            assert!(
                is_opaque(&root.join("d")),
                "the layer holds both .wh.d and a folder d: what the layers below have in d is gone, so that d may not be \
                 merged with it. {WHITEOUTS}"
            );
            for (folder, whiteout) in [("", ".wh.f"), ("e", "e/.wh.inner")] {
                assert!(
                    !is_opaque(&root.join(folder)),
                    "{whiteout} hides one name, not all that the layers below have in its folder /{folder}. {WHITEOUTS}"
                );
            }
        }
    }

    fn a_file_or_a_link_in_place_of_what_is_hidden_is_enough() {
        let ground = Ground::new();
        let entries = [
            Entry::folder("folder/"),
            Entry::symlink("link", "folder"),
            Entry::file("file", "new"),
            Entry::file(".wh.link", ""),
            Entry::file(".wh.file", ""),
        ];
        ground.unpack(entries).unwrap();
        let folder = ground.root().join("folder");
        assert!(
            !is_opaque(&folder),
            ".wh.link hides what the layers below call link, and link is there in this layer; the folder that it points to \
             is another's business: links are not followed. {WHITEOUTS}"
        );
        assert_eq!(fs::read_to_string(ground.root().join("file")).unwrap(), "new", "{WHITEOUTS}");
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

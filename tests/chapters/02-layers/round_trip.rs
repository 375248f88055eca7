//! Any tree survives the way into a layer and back, and the archives are those other tools read.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use layers::pack::pack;
use layers::unpack::Whiteouts;
use proptest::collection::vec;
use proptest::prelude::*;

use super::archive::{Ground, listing};
use super::sandbox::sandboxed;

/// Something to put into a tree; what does not fit there is left out.
#[derive(Debug, Clone)]
enum Step {
    File { path: String, content: Vec<u8>, mode: u32, mtime: u32 },
    Folder { path: String, mode: u32 },
    Symlink { path: String, target: String },
    HardLink { path: String, number: usize },
    Attribute { number: usize, value: Vec<u8> },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Few names, so that they meet; some of them longer than a header takes, some no UTF-8 text a terminal shows.
    let name =
        prop_oneof![Just("a".to_string()), Just("é\n x".to_string()), Just("L".repeat(90)), Just(".w".to_string())];
    let path = vec(name, 1..4).prop_map(|names| names.join("/"));
    let content = vec(any::<u8>(), 0..1500);
    let step = prop_oneof![
        4 => (path.clone(), content, 0..0o7777_u32, any::<u32>())
            .prop_map(|(path, content, mode, mtime)| Step::File { path, content, mode, mtime }),
        2 => (path.clone(), 0..0o7777_u32).prop_map(|(path, mode)| Step::Folder { path, mode: mode | 0o700 }),
        1 => (path.clone(), "[^\0]{1,150}").prop_map(|(path, target)| Step::Symlink { path, target }),
        1 => (path, any::<usize>()).prop_map(|(path, number)| Step::HardLink { path, number }),
        1 => (any::<usize>(), vec(any::<u8>(), 1..100)).prop_map(|(number, value)| Step::Attribute { number, value }),
    ];
    vec(step, 0..25)
}

fn build(root: &Path, steps: &[Step]) {
    let files = |number: usize| {
        let files: Vec<_> =
            listing(root).into_iter().filter(|path| root.join(path).symlink_metadata().unwrap().is_file()).collect();
        (!files.is_empty()).then(|| root.join(&files[number % files.len()]))
    };
    for step in steps {
        // Every step may fail: its place may be taken by something else.
        let _ = match step {
            Step::File { path, content, mode, mtime } => {
                let path = root.join(path);
                path.parent().map(fs::create_dir_all);
                fs::write(&path, content).and_then(|()| {
                    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs((*mtime).into());
                    fs::File::open(&path)?.set_modified(time)?;
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode | 0o400))
                })
            }
            Step::Folder { path, mode } => fs::create_dir_all(root.join(path))
                .and_then(|()| fs::set_permissions(root.join(path), fs::Permissions::from_mode(*mode))),
            Step::Symlink { path, target } => symlink(target, root.join(path)),
            Step::HardLink { path, number } => {
                files(*number).map_or(Ok(()), |file| fs::hard_link(file, root.join(path)))
            }
            Step::Attribute { number, value } => {
                files(*number).map_or(Ok(()), |file| xattr::set(file, "user.test", value))
            }
        };
    }
}

/// All there is to say about a tree. Files that share an inode are given by the first name.
fn describe(root: &Path) -> BTreeMap<String, String> {
    let mut first = BTreeMap::new();
    let describe = |path: &String| {
        let full = root.join(path);
        let status = full.symlink_metadata().unwrap();
        let same = first.entry(status.ino()).or_insert_with(|| path.clone()).clone();
        let content = if status.is_file() {
            format!("{:?}", fs::read(&full).unwrap())
        } else if status.is_symlink() {
            format!("{:?}", fs::read_link(&full).unwrap())
        } else {
            String::new()
        };
        let attribute = if status.is_symlink() { None } else { xattr::get(&full, "user.test").unwrap() };
        (
            path.clone(),
            format!("{:o} {} {} {same} {attribute:?} {content}", status.mode(), status.uid(), status.mtime()),
        )
    };
    listing(root).iter().map(describe).collect()
}

fn packed(root: &Path) -> Vec<u8> {
    let mut archive = Vec::new();
    pack(fs::File::open(root).unwrap().as_fd(), Whiteouts::Overlay, &mut archive).unwrap();
    archive
}

sandboxed! {
    fn a_tree_survives_the_way_into_a_layer_and_back() {
        let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(steps in steps())| {
            let tree = Ground::new();
            build(&tree.root(), &steps);
            let archive = packed(&tree.root());
            let copy = Ground::new();
            let notes = copy.unpack_as(Whiteouts::Overlay, &archive).unwrap().notes;
            prop_assert_eq!(notes, Vec::<String>::new());
            prop_assert_eq!(describe(&copy.root()), describe(&tree.root()));
            prop_assert!(packed(&copy.root()) == archive, "the same files have to give the same bytes");
        });
    }

    fn gnu_tar_reads_what_is_packed() {
        let tree = Ground::new();
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(200));
        fs::create_dir(tree.root().join("d".repeat(120))).unwrap();
        fs::write(tree.root().join(&long), "long").unwrap();
        fs::hard_link(tree.root().join(&long), tree.root().join("zz")).unwrap();
        symlink("t".repeat(300), tree.root().join("link")).unwrap();
        xattr::set(tree.root().join("zz"), "user.test", b"value").unwrap();
        let archive = tempfile::NamedTempFile::new().unwrap();
        fs::write(archive.path(), packed(&tree.root())).unwrap();
        let copy = Ground::new();
        let mut command = std::process::Command::new("tar");
        let Ok(output) = command.args(["--xattrs", "-xf"]).arg(archive.path()).arg("-C").arg(copy.root()).output() else {
            crate::suite::not_run::not_run("gnu_tar_reads_what_is_packed", "there is no tar(1)");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(describe(&copy.root()), describe(&tree.root()));
    }
}

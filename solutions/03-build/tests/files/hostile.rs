//! What a folder, a Dockerfile or an image may hold that means harm: nothing outside of the context is read, nothing outside of
//! the image is written, nobody waits for ever, and what was touched meanwhile is known by what it is.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Mode, mknodat};
use solution_3::cancel::Cancel;
use solution_3::context::Context;
use solution_3::copy::{self, Plan, Target, Written};
use solution_3::instruction::Copy;
use solution_3::{Error, Result, add};

use super::listing;
use super::ours::TIME;
use super::sandbox::sandboxed;

/// A context and an image beside something that is neither.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["context", "image", "outside"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("outside/secret"), "secret").unwrap();
        Self { folder }
    }

    fn context(&self, path: &str) -> PathBuf {
        self.folder.path().join("context").join(path)
    }

    fn image(&self, path: &str) -> PathBuf {
        self.folder.path().join("image").join(path)
    }

    fn open(&self) -> Context {
        Context::folder(&self.context(""), None).unwrap()
    }

    fn write(&self, plan: Plan<'_>) -> Result<Written> {
        let root = fs::File::open(self.image("")).unwrap();
        plan.write(Target { root: root.as_fd(), owner: None, time: TIME, cancel: None })
    }

    /// Copies, and looks afterwards whether anything outside was touched.
    fn copy(&self, source: &str, destination: &str) -> Result<Written> {
        let context = self.open();
        let result =
            copy::resolve(&words(source, destination), "/", context.tree(), None).and_then(|plan| self.write(plan));
        self.check_outside();
        result
    }

    fn add(&self, source: &str, destination: &str) -> Result<Written> {
        let context = self.open();
        let add = add::resolve(&words(source, destination), "/", context.tree(), self.folder.path(), None);
        let result = add.and_then(|plan| self.write(plan));
        self.check_outside();
        result
    }

    fn check_outside(&self) {
        let names: Vec<_> =
            fs::read_dir(self.folder.path().join("outside")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"], "something was written outside of the image");
        assert_eq!(fs::read_to_string(self.folder.path().join("outside/secret")).unwrap(), "secret");
        let image = listing::of_folder(&self.image("")).join("\n");
        assert!(!image.contains("= secret"), "something outside of the context was copied:\n{image}");
    }
}

fn words(source: &str, destination: &str) -> Copy {
    Copy { sources: vec![source.into()], destination: destination.into(), ..Copy::default() }
}

fn fifo(path: &Path) {
    mknodat(rustix::fs::CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
}

sandboxed! {
    fn no_link_leads_out_of_the_context() {
        let house = House::new();
        let outside = house.folder.path().join("outside").display().to_string();
        fs::create_dir(house.context("d")).unwrap();
        for (name, target) in [
            ("file", format!("{outside}/secret")),
            ("folder", outside.clone()),
            ("up", "../outside".to_owned()),
            ("d/up", "../../outside/secret".to_owned()),
            ("chain", "folder".to_owned()),
            ("proc", format!("/proc/{}/root{outside}/secret", std::process::id())),
            ("loop", "loop".to_owned()),
        ] {
            symlink(target, house.context(name)).unwrap();
        }
        for source in [
            "file", "folder", "folder/", "folder/secret", "folder/*", "up", "up/secret", "up/*", "d/up", "chain/secret", "proc", "loop",
            "loop/x", "../outside/secret", "d/../../outside/secret", &outside, &format!("{outside}/secret"), "folder/../outside/secret",
        ] {
            match house.copy(source, "/x/") {
                Err(Error::NotFound { .. } | Error::Io { .. }) => {}
                Ok(_) if source.contains('*') => {}
                other => panic!("{source}: {other:?}"),
            }
        }
        // As links they are copied, for in the image they lead to something else.
        house.copy(".", "/all/").unwrap();
        house.copy("*", "/wild/").unwrap_err();
    }

    fn no_link_of_the_image_leads_out_of_it() {
        let house = House::new();
        let outside = house.folder.path().join("outside").display().to_string();
        fs::write(house.context("a"), "harmless").unwrap();
        fs::create_dir_all(house.context("d/up")).unwrap();
        fs::write(house.context("d/up/a"), "harmless").unwrap();
        symlink(&outside, house.image("absolute")).unwrap();
        symlink("../outside", house.image("up")).unwrap();
        symlink("../outside/secret", house.image("file")).unwrap();
        symlink("file", house.image("a")).unwrap();
        for (source, destination) in [
            ("a", "/absolute/"), ("a", "/absolute/secret"), ("a", "/up/x"), ("a", "/up/../../outside/x"), ("a", "/file"),
            ("a", "/../../outside/x"), ("d", "/absolute/x/y"), ("a", "/a"),
        ] {
            house.copy(source, destination).unwrap();
        }
        // Below the destination no link is gone through at all.
        assert!(matches!(house.copy("d", "/"), Err(Error::NotFolder(path)) if path == "/up"));
    }

    fn an_archive_does_not_reach_out_of_its_folder() {
        let house = House::new();
        let outside = house.folder.path().join("outside").display().to_string();
        symlink(&outside, house.image("link")).unwrap();
        fs::create_dir(house.image("d")).unwrap();
        symlink("../../outside", house.image("d/link")).unwrap();
        let entry = |name: &str, kind: tar::EntryType, link: &str| {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
            header.set_entry_type(kind);
            header.set_mode(0o644);
            header.set_size(0);
            header.set_cksum();
            header
        };
        use tar::EntryType::{Link, Regular, Symlink};
        for (name, entries) in [
            ("climbs", vec![("../outside/x", Regular, "")]),
            ("through a link of its own", vec![("l", Symlink, "../outside"), ("l/x", Regular, "")]),
            ("through an absolute one", vec![("l", Symlink, outside.as_str()), ("l/x", Regular, "")]),
            ("through one of the image", vec![("link/x", Regular, "")]),
            ("a hard link", vec![("h", Link, "../outside/secret")]),
            ("a hard link through a link", vec![("l", Symlink, outside.as_str()), ("h", Link, "l/secret")]),
        ] {
            let mut archive = tar::Builder::new(Vec::new());
            for (name, kind, link) in &entries {
                archive.append(&entry(name, *kind, link), &b""[..]).unwrap();
            }
            fs::write(house.context("t.tar"), archive.into_inner().unwrap()).unwrap();
            for destination in ["/d/", "/"] {
                // Either it is refused, or it stays inside: that is checked.
                if let Err(error) = house.add("t.tar", destination) {
                    assert!(matches!(error, Error::Archive { .. }), "{name}: {error}");
                }
            }
        }
    }

    fn whatever_was_touched_meanwhile_is_known_by_what_it_is() {
        type Touch = fn(&House);
        let touches: [(&str, Touch); 5] = [
            ("it grew", |house| fs::write(house.context("d/a"), "longer than before").unwrap()),
            ("it shrank", |house| fs::write(house.context("d/a"), "").unwrap()),
            ("the same size, and the old time", |house| {
                let time = fs::metadata(house.context("d/a")).unwrap().modified().unwrap();
                fs::write(house.context("d/a"), "after!").unwrap();
                fs::File::open(house.context("d/a")).unwrap().set_modified(time).unwrap();
            }),
            ("another took its place", |house| {
                fs::write(house.context("new"), "others").unwrap();
                fs::rename(house.context("new"), house.context("d/a")).unwrap();
            }),
            ("nothing but its time", |house| {
                fs::File::open(house.context("d/a")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
            }),
        ];
        for (name, touch) in touches {
            let house = House::new();
            fs::create_dir(house.context("d")).unwrap();
            fs::write(house.context("d/a"), "before").unwrap();
            fs::write(house.context("d/b"), "b").unwrap();
            let context = house.open();
            let plan = || copy::resolve(&words("d", "/d"), "/", context.tree(), None).unwrap();
            let before = plan();
            let digest = before.digest();
            touch(&house);
            let written = house.write(before).unwrap();
            assert_eq!(written.digest, plan().digest(), "{name}");
            assert_eq!(written.digest == digest, name == "nothing but its time", "{name}");
            let copied = fs::read(house.image("d/a")).unwrap();
            assert_eq!(copied, fs::read(house.context("d/a")).unwrap(), "{name}");
        }
    }

    fn whoever_cancels_does_not_wait_for_large_files() {
        let house = House::new();
        fs::File::create(house.context("large")).unwrap().set_len(1 << 40).unwrap();
        let cancel = Cancel::new().unwrap();
        let context = house.open();
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(100));
                cancel.cancel();
            });
            let plan = copy::resolve(&words("large", "/"), "/", context.tree(), Some(&cancel));
            assert!(matches!(plan, Err(Error::Cancelled)));
        });
        assert!(start.elapsed() < Duration::from_secs(10), "a terabyte was read to its end");
    }

    fn what_is_gone_or_another_thing_is_no_copy() {
        let touches: [fn(&Path); 4] = [
            |path| fs::remove_file(path).unwrap(),
            |path| {
                fs::remove_file(path).unwrap();
                fifo(path);
            },
            |path| {
                fs::remove_file(path).unwrap();
                symlink("../outside/secret", path).unwrap();
            },
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
        ];
        for touch in touches {
            let house = House::new();
            fs::write(house.context("a"), "before").unwrap();
            let context = house.open();
            let plan = copy::resolve(&words("a", "/d/"), "/", context.tree(), None).unwrap();
            touch(&house.context("a"));
            let start = Instant::now();
            house.write(plan).unwrap_err();
            house.check_outside();
            assert!(start.elapsed() < Duration::from_secs(5), "it was waited for");
        }
    }

    fn named_pipes_keep_nobody_waiting() {
        let house = House::new();
        fs::create_dir(house.context("d")).unwrap();
        for name in ["Dockerfile", ".dockerignore", "d/p"] {
            fifo(&house.context(name));
        }
        let mut context = house.open();
        assert!(matches!(context.tree().read("Dockerfile"), Err(Error::Unsuitable { .. })));
        assert!(matches!(context.tree_mut().read_ignore(None), Err(Error::Unsuitable { .. })));
        house.copy("d", "/d").unwrap();
        house.add("d/p", "/p").unwrap();
        assert!(listing::of_folder(&house.image("")).iter().any(|line| line == "p644 0:0 p"));
    }

    fn depth_and_length_have_their_limits() {
        let house = House::new();
        let deep = "d/".repeat(1000);
        fs::create_dir_all(house.context(&deep)).unwrap();
        fs::write(house.context(&format!("{deep}f")), "").unwrap();
        fs::write(house.context(&"n".repeat(255)), "").unwrap();
        house.copy(".", "/all/").unwrap();
        assert!(house.image(&format!("all/{deep}f")).exists());
        let long = "x".repeat(300);
        for (source, destination) in [(long.as_str(), "/"), ("d", long.as_str()), (&format!("{long}*"), "/y")] {
            if let Err(error) = house.copy(source, destination) {
                assert!(error.to_string().contains("File name too long"), "{error}");
            }
        }
        // Deeper than a path can tell.
        let mut folder = house.context("");
        for _ in 0..30 {
            folder.push("e".repeat(250));
            let parent = fs::File::open(folder.parent().unwrap());
            let Ok(parent) = parent else { break };
            rustix::fs::mkdirat(&parent, "e".repeat(250), Mode::from_raw_mode(0o755)).unwrap();
        }
        let error = house.copy(".", "/more/").unwrap_err().to_string();
        assert!(error.contains("File name too long"), "{error}");
    }

    fn a_device_that_would_hide_what_is_below_is_refused() {
        if !super::sandbox::all_powerful() {
            return;
        }
        let house = House::new();
        let device = rustix::fs::makedev(0, 0);
        mknodat(rustix::fs::CWD, house.context("c"), FileType::CharacterDevice, Mode::from_raw_mode(0o644), device).unwrap();
        assert!(matches!(house.copy("c", "/x/"), Err(Error::Unsuitable { .. })));
    }

    fn what_may_be_read_and_written_is_decided_at_the_end() {
        // Nobody sees a file with the mode it will have before it is whole, and a setuid bit survives the writing.
        let house = House::new();
        fs::write(house.context("a"), vec![7; 300_000]).unwrap();
        fs::set_permissions(house.context("a"), fs::Permissions::from_mode(0o6755)).unwrap();
        house.copy("a", "/x/").unwrap();
        let status = fs::metadata(house.image("x/a")).unwrap();
        assert_eq!(status.permissions().mode() & 0o7777, 0o6755);
        assert_eq!(status.modified().unwrap(), std::time::UNIX_EPOCH + Duration::from_secs(TIME as u64));
    }

    fn a_folder_that_was_there_keeps_its_time() {
        let house = House::new();
        fs::create_dir_all(house.image("etc/deep")).unwrap();
        fs::write(house.context("a"), "").unwrap();
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_path_with_name(house.context("a"), "deep/new/b").unwrap();
        fs::write(house.context("t.tar"), archive.into_inner().unwrap()).unwrap();
        let old = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for path in ["etc/deep", "etc", ""] {
            fs::File::open(house.image(path)).unwrap().set_modified(old).unwrap();
        }
        house.copy("a", "/etc/deep/").unwrap();
        house.copy("a", "/etc/new/a").unwrap();
        house.add("t.tar", "/etc").unwrap();
        let time = |path: &str| fs::metadata(house.image(path)).unwrap().modified().unwrap();
        assert_eq!([time(""), time("etc"), time("etc/deep")], [old; 3]);
        let ours = std::time::UNIX_EPOCH + Duration::from_secs(TIME as u64);
        assert_eq!([time("etc/new"), time("etc/new/a"), time("etc/deep/a"), time("etc/deep/new")], [ours; 4]);
    }

    fn what_a_program_may_do_goes_with_it() {
        use rustix::fs::{XattrFlags, getxattr, setxattr};
        // CAP_NET_BIND_SERVICE, permitted and effective: capabilities(7), "File capabilities".
        let mut capability = [0_u8; 20];
        capability[..8].copy_from_slice(&[1, 0, 0, 2, 0, 4, 0, 0]);
        let house = House::new();
        for (name, attribute, value) in
            [("a", "security.capability", &capability[..]), ("a", "user.note", b"x"), ("d/b", "user.note", b""), ("d", "user.note", b"d")]
        {
            fs::create_dir_all(house.context("d")).unwrap();
            let path = house.context(name);
            if !path.exists() {
                fs::write(&path, "program").unwrap();
            }
            setxattr(&path, attribute, value, XattrFlags::empty()).unwrap();
        }
        let digest = || copy::resolve(&words("a", "/x/"), "/", house.open().tree(), None).unwrap().digest();
        let before = digest();
        house.copy(".", "/x/").unwrap();
        let value = |name: &str, attribute: &str| {
            let mut value = vec![0; 100];
            let length = getxattr(house.image(name), attribute, value.as_mut_slice()).unwrap();
            value[..length].to_vec()
        };
        assert_eq!(value("x/a", "security.capability"), capability);
        assert_eq!([value("x/a", "user.note"), value("x/d/b", "user.note"), value("x/d", "user.note")], [&b"x"[..], b"", b"d"]);
        setxattr(house.context("a"), "user.note", b"y", XattrFlags::empty()).unwrap();
        assert_ne!(digest(), before, "it is another file now");
    }
}

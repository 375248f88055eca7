//! What honest archives hold arrives as it was.

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use layers::unpack::Whiteouts;

use super::archive::{Entry, Ground, listing, tar};
use super::sandbox::{all_powerful, sandboxed};

fn status(ground: &Ground, path: &str) -> Metadata {
    fs::symlink_metadata(ground.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn read(ground: &Ground, path: &str) -> Vec<u8> {
    fs::read(ground.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

sandboxed! {
    fn files_folders_and_links() {
        let ground = Ground::new();
        let entries = [
            Entry::folder("./").mode(0o750),
            Entry::folder("./bin/").mode(0o555).mtime(77),
            Entry::file("./bin/sh", "#!").mode(0o4755).mtime(88),
            Entry::symlink("./bin/ash", "sh").mtime(99),
            Entry::hard_link("./bin/bash", "./bin/sh"),
            Entry::hard_link("bin/link", "bin/ash"),
            Entry::file("implied/folders/file", vec![3; 200_000]),
            Entry::new(b'6', "pipe").mode(0o622),
            // Before there was a flag for folders.
            Entry::file("old/", "").mode(0o711),
            Entry::new(0, "old/file").data("v7"),
            Entry::new(b'7', "contiguous").data("c"),
        ];
        ground.unpack(entries).unwrap();
        assert_eq!(status(&ground, "").mode() & 0o7777, 0o750);
        assert_eq!((status(&ground, "bin").mode() & 0o7777, status(&ground, "bin").mtime()), (0o555, 77));
        let sh = status(&ground, "bin/sh");
        assert_eq!((sh.mode() & 0o7777, sh.mtime(), sh.nlink()), (0o4755, 88, 2));
        assert_eq!(status(&ground, "bin/bash").ino(), sh.ino());
        assert_eq!(fs::read_link(ground.root().join("bin/ash")).unwrap().to_str(), Some("sh"));
        assert_eq!(status(&ground, "bin/ash").mtime(), 99);
        assert!(status(&ground, "bin/link").is_symlink());
        assert_eq!(read(&ground, "implied/folders/file"), [3; 200_000]);
        assert_eq!(status(&ground, "implied/folders").mode() & 0o7777, 0o755);
        let pipe = status(&ground, "pipe");
        assert!(pipe.file_type().is_fifo(), "a pipe, not an empty file");
        assert_eq!(pipe.mode() & 0o7777, 0o622);
        assert_eq!(status(&ground, "old").mode() & 0o7777, 0o711);
        assert_eq!(read(&ground, "old/file"), b"v7");
        assert_eq!(read(&ground, "contiguous"), b"c");
    }

    fn names_and_targets_longer_than_their_fields() {
        let ground = Ground::new();
        let long = |letter: &str| format!("{}/{}", letter.repeat(120), letter.repeat(200));
        let (pax, gnu) = (long("p"), long("g"));
        let entries = [
            Entry::file("x", "1").record("path", &pax),
            Entry::symlink("pax-link", "x").record("linkpath", long("t")),
            Entry::new(b'L', "././@LongLink").data(format!("{gnu}\0")),
            Entry::file("x", "2"),
            Entry::new(b'K', "././@LongLink").data(format!("{gnu}\0")),
            Entry::hard_link("gnu-link", "x"),
            // ustar: the name continues in another field.
            Entry::file("tail", "3").header(|header| {
                let name = b"tail";
                *header = tar::Header::new_ustar();
                let ustar = header.as_ustar_mut().unwrap();
                ustar.name[..name.len()].copy_from_slice(name);
                ustar.prefix[..3].copy_from_slice(b"pre");
                ustar.typeflag = *b"0";
                header.set_size(1);
                header.set_mode(0o644);
            }),
        ];
        ground.unpack(entries).unwrap();
        assert_eq!(read(&ground, &pax), b"1");
        assert_eq!(read(&ground, &gnu), b"2");
        assert_eq!(read(&ground, "gnu-link"), b"2");
        assert_eq!(fs::read_link(ground.root().join("pax-link")).unwrap().to_str(), Some(long("t").as_str()));
        assert_eq!(read(&ground, "pre/tail"), b"3");
    }

    fn times_sizes_and_attributes_of_extended_headers() {
        let ground = Ground::new();
        let entries = [
            Entry::new(b'g', "global").data("18 comment=nothing\n"),
            Entry::file("a", "12345")
                .record("mtime", "1234567890.123456789")
                .record("SCHILY.xattr.user.colour", "blue\0\n"),
            // The size of a file of more than eight gigabytes stands in a record; the one in the header is to be
            // ignored.
            Entry::file("b", "12345").record("size", "5").header(|header| header.set_size(0)),
            Entry::file("before", "").record("mtime", "-1.5"),
        ];
        ground.unpack(entries).unwrap();
        assert_eq!((status(&ground, "a").mtime(), status(&ground, "a").mtime_nsec()), (1_234_567_890, 123_456_789));
        assert_eq!(xattr::get(ground.root().join("a"), "user.colour").unwrap().as_deref(), Some(&b"blue\0\n"[..]));
        assert_eq!(read(&ground, "b"), b"12345");
        assert_eq!((status(&ground, "before").mtime(), status(&ground, "before").mtime_nsec()), (-2, 500_000_000));
        assert_eq!(listing(&ground.root()), ["a", "b", "before"]);
    }

    fn sparse_files_of_every_format() {
        // "head" at 0, a hole, "tail" at 1,000,000, a hole up to 2,000,000.
        let data = "headtail";
        let map = "2\n0\n4\n1000000\n4\n";
        let ahead = format!("{map}{}{data}", "\0".repeat(512 - map.len()));
        let old = Entry::file("old", data).header(|header| {
            let gnu = header.as_gnu_mut().unwrap();
            gnu.typeflag = *b"S";
            gnu.set_real_size(2_000_000);
            for (part, (offset, length)) in gnu.sparse.iter_mut().zip([(0, 4), (1_000_000, 4)]) {
                part.set_offset(offset);
                part.set_length(length);
            }
        });
        let entries = [
            old,
            Entry::file("x", data)
                .record("GNU.sparse.size", "2000000")
                .record("GNU.sparse.numblocks", "2")
                .record("GNU.sparse.offset", "0")
                .record("GNU.sparse.numbytes", "4")
                .record("GNU.sparse.offset", "1000000")
                .record("GNU.sparse.numbytes", "4")
                .record("path", "0.0"),
            Entry::file("GNUSparseFile.1/x", data)
                .record("GNU.sparse.name", "0.1")
                .record("GNU.sparse.size", "2000000")
                .record("GNU.sparse.map", "0,4,1000000,4"),
            Entry::file("GNUSparseFile.1/x", ahead)
                .record("GNU.sparse.major", "1")
                .record("GNU.sparse.minor", "0")
                .record("GNU.sparse.name", "1.0")
                .record("GNU.sparse.realsize", "2000000"),
            Entry::file("after", "!"),
        ];
        ground_with_sparse(entries);
    }
}

fn ground_with_sparse(entries: impl IntoIterator<Item = Entry>) {
    let ground = Ground::new();
    ground.unpack(entries).unwrap();
    let mut expected = vec![0; 2_000_000];
    expected[..4].copy_from_slice(b"head");
    expected[1_000_000..1_000_004].copy_from_slice(b"tail");
    for name in ["old", "0.0", "0.1", "1.0"] {
        assert!(read(&ground, name) == expected, "{name}");
        assert!(status(&ground, name).blocks() * 512 < 1_000_000, "{name}: its holes are holes");
    }
    assert_eq!(read(&ground, "after"), b"!");
    assert_eq!(listing(&ground.root()), ["0.0", "0.1", "1.0", "after", "old"]);
}

sandboxed! {
    fn sparse_files_as_gnu_tar_writes_them() {
        let made = Ground::new();
        let file = fs::File::create(made.root().join("holes")).unwrap();
        // More parts than fit into the header, so that there are continuation blocks.
        for part in 0..40_u64 {
            std::os::unix::fs::FileExt::write_all_at(&file, &[part as u8 + 1; 4096], part * 65536).unwrap();
        }
        file.set_len(4_000_000).unwrap();
        for format in [
            "--format=gnu",
            "--format=pax --sparse-version=0.0",
            "--format=pax --sparse-version=0.1",
            "--format=pax --sparse-version=1.0",
        ] {
            let mut command = std::process::Command::new("tar");
            command.args(format.split(' ')).args(["--sparse", "-cf", "-", "-C"]).arg(made.root()).arg("holes");
            let Ok(output) = command.output() else {
                crate::suite::not_run::not_run("sparse_files_as_gnu_tar_writes_them", "there is no tar(1)");
                return;
            };
            assert!(output.status.success(), "{output:?}");
            assert!(output.stdout.len() < 1_000_000, "{format}: tar has found no holes");
            let ground = Ground::new();
            ground.unpack_as(Whiteouts::Overlay, &output.stdout).unwrap();
            assert!(read(&ground, "holes") == read(&made, "holes"), "{format}");
        }
    }

    fn the_last_entry_of_a_name_counts() {
        let ground = Ground::new();
        let entries = [
            Entry::file("file", "old"),
            Entry::hard_link("other", "file"),
            Entry::file("file", "new"),
            Entry::folder("folder/").mode(0o700),
            Entry::file("folder/kept", ""),
            Entry::folder("folder/").mode(0o711),
            Entry::folder("gone/"),
            Entry::file("gone/below/file", ""),
            Entry::file("gone", "a file now"),
            Entry::file("turned", ""),
            Entry::folder("turned/"),
            Entry::file("turned/into", "a folder"),
            Entry::hard_link("other", "other"),
        ];
        ground.unpack(entries).unwrap();
        assert_eq!((read(&ground, "file"), read(&ground, "other")), (b"new".to_vec(), b"old".to_vec()));
        assert_eq!(status(&ground, "folder").mode() & 0o7777, 0o711);
        assert_eq!(listing(&ground.root()), ["file", "folder", "folder/kept", "gone", "other", "turned", "turned/into"]);
        assert_eq!(read(&ground, "gone"), b"a file now");
    }
}

sandboxed! {
    fn owners_and_devices() {
        let ground = Ground::new();
        let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let entries = [
            Entry::folder("home/").owner(1000, 1001).mode(0o2770),
            Entry::file("home/setuid", "").owner(1000, 1001).mode(0o6755),
            Entry::symlink("home/link", "nowhere").owner(1000, 1001),
            Entry::file("home/big", "").record("uid", "3000000").record("gid", "4000000"),
            Entry::file("ping", "").record("SCHILY.xattr.security.capability", capability),
            Entry::device(b'3', "null", 1, 3).mode(0o666),
            Entry::device(b'4', "disk", 8, 0).mode(0o660).owner(0, 6),
        ];
        let notes = ground.unpack(entries).unwrap().notes;
        let owner = |path: &str| (status(&ground, path).uid(), status(&ground, path).gid());
        if all_powerful() {
            assert_eq!(notes, [] as [&str; 0]);
            for path in ["home", "home/setuid", "home/link"] {
                assert_eq!(owner(path), (1000, 1001), "{path}");
            }
            assert_eq!(owner("home/big"), (3_000_000, 4_000_000));
            assert_eq!(status(&ground, "home").mode() & 0o7777, 0o2770);
            assert_eq!(status(&ground, "home/setuid").mode() & 0o7777, 0o6755, "after the change of owner");
            assert!(status(&ground, "null").file_type().is_char_device());
            assert_eq!((status(&ground, "null").rdev(), status(&ground, "null").mode() & 0o7777), (0x103, 0o666));
            assert!(status(&ground, "disk").file_type().is_block_device());
            assert_eq!((status(&ground, "disk").rdev(), owner("disk")), (0x800, (0, 6)));
        } else {
            // One id is mapped, and no devices can be made: the rest arrives, and it is said what does not.
            assert_eq!(notes.len(), 3, "{notes:?}");
            assert!(notes.iter().any(|note| note.contains("does not map")), "{notes:?}");
            assert!(notes.iter().any(|note| note.starts_with("disk was left out")), "{notes:?}");
            assert_eq!(owner("home/setuid"), (0, 0));
            assert_eq!(status(&ground, "home/setuid").mode() & 0o7777, 0o755, "never setuid to somebody else");
            assert!(!ground.root().join("null").exists());
        }
        let found = xattr::get(ground.root().join("ping"), "security.capability").unwrap().unwrap();
        assert_eq!(found[4..12], capability[4..12]);
    }
}

sandboxed! {
    fn the_umask_does_not_count() {
        // In a process of its own: the umask belongs to all threads.
        let ground = Ground::new();
        let archive =
            tar([Entry::file("a", "").mode(0o666), Entry::folder("b/").mode(0o777), Entry::new(b'6', "c").mode(0o666)]);
        if std::env::var_os("KESAKO_TEST_UMASK").is_none() {
            let binary = std::env::current_exe().unwrap();
            let script = "umask 077; exec \"$0\" --exact suite::unpack::the_umask_does_not_count --nocapture";
            let output = std::process::Command::new("sh")
                .args(["-c", script])
                .arg(binary)
                .env("KESAKO_TEST_UMASK", "1")
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && text.contains("1 passed"),
                "{text}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        ground.unpack_as(Whiteouts::Overlay, &archive).unwrap();
        assert_eq!(["a", "b", "c"].map(|path| status(&ground, path).mode() & 0o7777), [0o666, 0o777, 0o666]);
    }
}

//! Archives that mean harm: each is refused with its own reason, and nothing outside of the root changes.

use layers::unpack::Whiteouts;
use layers::{Error, Malformed, Refusal};

use super::archive::{Entry, Ground, listing, tar};
use super::sandbox::sandboxed;

/// Refused for this reason, at this entry.
#[track_caller]
fn assert_refused(entries: Vec<Entry>, at: &str, reason: Refusal) {
    let ground = Ground::new();
    assert_eq!(ground.refused(entries), (at.to_string(), reason));
}

sandboxed! {
    fn a_name_that_climbs() {
        for name in ["../evil", "a/../../evil", "/../evil", "a/..", ".."] {
            assert_refused(vec![Entry::file(name, "x")], name, Refusal::Climbs);
        }
        assert_refused(vec![Entry::folder("../evil/")], "../evil/", Refusal::Climbs);
        assert_refused(vec![Entry::file("x", "").record("path", "../../evil")], "../../evil", Refusal::Climbs);
    }

    fn an_absolute_name_is_one_of_the_image() {
        // As for Docker: there are tools that write them so.
        let ground = Ground::new();
        let outside = ground.outside().join("evil");
        ground.unpack([Entry::file(outside.to_str().unwrap(), "x")]).unwrap();
        assert_eq!(listing(&ground.outside()), ["canary"]);
        assert!(ground.root().join(outside.strip_prefix("/").unwrap()).is_file());
    }

    fn a_parent_that_is_a_link() {
        let ground = Ground::new();
        let outside = ground.outside();
        // To a folder of the host: it is looked for in the image, and is not there.
        let absolute = [Entry::symlink("way", outside.to_str().unwrap()), Entry::file("way/evil", "x")];
        assert_eq!(ground.refused(absolute), ("way/evil".to_string(), Refusal::ParentDangles("way".to_string())));
        let climbing = || vec![Entry::symlink("way", "../outside"), Entry::file("way/evil", "x")];
        assert_refused(climbing(), "way/evil", Refusal::ParentClimbs("way".to_string()));
        let deep = vec![Entry::symlink("a/b/way", "../../../outside"), Entry::file("a/b/way/evil", "x")];
        assert_refused(deep, "a/b/way/evil", Refusal::ParentClimbs("a/b/way".to_string()));
        let detour =
            vec![Entry::symlink("one", "two/.."), Entry::symlink("two", "../outside"), Entry::file("one/evil", "")];
        assert_refused(detour, "one/evil", Refusal::ParentClimbs("two".to_string()));
        let canary = vec![Entry::symlink("way", "../outside"), Entry::file("way/canary", "dead")];
        assert_refused(canary, "way/canary", Refusal::ParentClimbs("way".to_string()));
    }

    fn a_parent_that_is_a_link_within_the_image() {
        let ground = Ground::new();
        let entries = [
            Entry::folder("usr/lib/"),
            Entry::symlink("lib", "/usr/lib"),
            Entry::symlink("usr/lib64", "../usr/./lib"),
            Entry::file("lib/one", "1"),
            Entry::file("usr/lib64/two", "2"),
        ];
        ground.unpack(entries).unwrap();
        assert!(ground.root().join("usr/lib/one").is_file(), "an absolute link starts at the root of the image");
        assert!(ground.root().join("usr/lib/two").is_file());
    }

    fn a_parent_that_is_no_folder() {
        let file = vec![Entry::file("file", ""), Entry::file("file/evil", "")];
        assert_refused(file, "file/evil", Refusal::ParentNotFolder("file".to_string()));
        let circle = vec![Entry::symlink("a", "b"), Entry::symlink("b", "a"), Entry::file("a/evil", "")];
        assert_refused(circle, "a/evil", Refusal::ParentLoops);
        let magic = vec![Entry::symlink("a", "/proc/self/cwd"), Entry::file("a/evil", "")];
        assert_refused(magic, "a/evil", Refusal::ParentDangles("a".to_string()));
    }

    fn a_file_in_place_of_a_link_does_not_go_through_it() {
        let ground = Ground::new();
        let canary = ground.outside().join("canary");
        let entries = [Entry::symlink("x", canary.to_str().unwrap()), Entry::file("x", "dead").mode(0o777)];
        ground.unpack(entries).unwrap();
        ground.assert_nothing_escaped();
        assert_eq!(std::fs::read_to_string(ground.root().join("x")).unwrap(), "dead");
        let folder = [Entry::symlink("y", ground.outside().to_str().unwrap()), Entry::folder("y/").mode(0o700)];
        ground.unpack(folder).unwrap();
        ground.assert_nothing_escaped();
        assert!(ground.root().join("y").symlink_metadata().unwrap().is_dir(), "the folder takes the place of the link");
    }

    fn a_hard_link_out() {
        let out = |target: &str| Refusal::HardLinkOut(target.to_string());
        for target in ["../outside/canary", "a/../../outside/canary"] {
            assert_refused(vec![Entry::hard_link("evil", target)], "evil", out(target));
        }
        let through = vec![Entry::symlink("way", "../outside"), Entry::hard_link("evil", "way/canary")];
        assert_refused(through, "evil", out("way/canary"));
        let missing = |target: &str| Refusal::HardLinkMissing(target.to_string());
        assert_refused(vec![Entry::hard_link("evil", "/etc/passwd")], "evil", missing("/etc/passwd"));
        let folder = vec![Entry::folder("folder/"), Entry::hard_link("evil", "folder")];
        assert_refused(folder, "evil", Refusal::HardLinkFolder("folder".to_string()));
        assert_refused(vec![Entry::hard_link("evil", "/")], "evil", Refusal::HardLinkFolder("/".to_string()));
    }

    fn a_hard_link_to_a_link_does_not_follow_it() {
        let ground = Ground::new();
        let canary = ground.outside().join("canary");
        let entries =
            [Entry::symlink("way", canary.to_str().unwrap()), Entry::hard_link("x", "way"), Entry::file("x", "dead")];
        ground.unpack(entries).unwrap();
        ground.assert_nothing_escaped();
    }

    fn a_whiteout_of_the_root_or_above() {
        for name in [".wh.", ".wh..", ".wh...", "a/.wh.", "a/.wh..."] {
            assert_refused(vec![Entry::folder("a/"), Entry::file(name, "")], name, Refusal::WhiteoutOut);
        }
        let through = vec![Entry::symlink("way", "../outside"), Entry::file("way/.wh.canary", "")];
        assert_refused(through, "way/.wh.canary", Refusal::ParentClimbs("way".to_string()));
        let opaque = vec![Entry::symlink("way", "../outside"), Entry::file("way/.wh..wh..opq", "")];
        assert_refused(opaque, "way/.wh..wh..opq", Refusal::ParentClimbs("way".to_string()));
    }

    fn a_whiteout_that_is_applied_stays_beneath_the_root() {
        let ground = Ground::new();
        std::os::unix::fs::symlink("../outside", ground.root().join("way")).unwrap();
        for name in ["way/.wh.canary", "way/.wh..wh..opq"] {
            let result = ground.unpack_as(Whiteouts::Apply, &tar([Entry::file(name, "")]));
            assert!(matches!(result, Err(Error::Refused { why: Refusal::ParentClimbs(_), .. })), "{result:?}");
            ground.assert_nothing_escaped();
        }
    }

    fn devices_that_deceive() {
        assert_refused(vec![Entry::device(b'3', "etc", 0, 0)], "etc", Refusal::DisguisedWhiteout);
        let big = Refusal::BadDevice { major: 4096, minor: 0 };
        assert_refused(vec![Entry::device(b'4', "sda", 4096, 0)], "sda", big);
    }

    fn attributes_of_overlayfs_are_not_taken_from_an_archive() {
        let ground = Ground::new();
        let entry = Entry::folder("a/").record("SCHILY.xattr.trusted.overlay.redirect", "/etc");
        let entry = entry.record("SCHILY.xattr.user.overlay.opaque", "y");
        let notes = ground.unpack([entry]).unwrap().notes;
        assert_eq!(notes.len(), 2, "{notes:?}");
        let folder = ground.root().join("a");
        for name in ["trusted.overlay.redirect", "user.overlay.opaque"] {
            assert!(xattr::get(&folder, name).unwrap().is_none(), "{name}");
        }
    }

    fn names_that_no_file_can_have() {
        let long = format!("{}/x", "a".repeat(256));
        assert_refused(vec![Entry::file("x", "").record("path", &long)], &long, Refusal::BadName);
        assert_refused(vec![Entry::file("x", "").record("path", "a\0b")], "a\0b", Refusal::BadName);
        assert_refused(
            vec![Entry::file("./", "").header(|header| header.as_old_mut().linkflag = *b"2")],
            "./",
            Refusal::RootNotFolder,
        );
        assert_refused(vec![Entry::new(b'M', "x")], "x", Refusal::UnknownType('M'));
    }

    fn extension_headers_that_fill_the_memory() {
        let size = |size: u64| move |header: &mut tar::Header| header.set_size(size);
        for kind in *b"LKx" {
            let entry = Entry::new(kind, "x").header(size(1 << 40));
            assert_eq!(Ground::new().refused([entry]).1, Refusal::LargeExtension(1 << 40));
        }
        let endless = Entry::new(b'x', "x").data(b"9999999 path=x\n");
        assert!(matches!(Ground::new().refused([endless]).1, Refusal::BadExtension(_)));
    }

    fn bombs() {
        // Eight megabytes and 1000 entries are the limits here.
        let limit = 8 << 20;
        let huge = Entry::file("x", "").header(|header| header.set_size(1 << 40));
        assert_refused(vec![huge], "x", Refusal::TooManyBytes(limit));
        let many = (0..20).map(|index| Entry::file(&format!("f{index}"), vec![0; 1 << 20]));
        assert_eq!(Ground::new().refused(many).1, Refusal::TooManyBytes(limit));
        let entries = (0..1001).map(|index| Entry::file(&format!("f{index}"), ""));
        assert_eq!(Ground::new().refused(entries).1, Refusal::TooManyEntries(1000));
        let holes = Entry::file("x", "").record("GNU.sparse.size", (1_u64 << 62).to_string()).record("GNU.sparse.map", "");
        assert_refused(vec![holes], "x", Refusal::TooManyBytes(limit));
        // After the end too: nothing but zeros, and too much of it.
        let mut padded = tar([Entry::file("x", "")]);
        padded.resize(16 << 20, 0);
        let result = Ground::new().unpack_as(Whiteouts::Overlay, &padded);
        assert!(matches!(result, Err(Error::Refused { why: Refusal::TooManyBytes(_), .. })), "{result:?}");
    }

    fn maps_of_sparse_files_that_lie() {
        let sparse = |size: &str, map: &str| {
            let entry = Entry::file("x", "12345678");
            vec![entry.record("GNU.sparse.size", size).record("GNU.sparse.map", map)]
        };
        for (size, map) in [
            ("100", "0,9"),
            ("100", "96,8"),
            ("100", "8,4,0,4"),
            ("100", "0,8,4"),
            ("100", "18446744073709551615,8"),
            ("4", "0,8"),
        ] {
            assert_refused(sparse(size, map), "x", Refusal::BadSparseMap);
        }
    }
}

/// What is wrong with this stream.
#[track_caller]
fn malformed(archive: &[u8]) -> Malformed {
    match Ground::new().unpack_as(Whiteouts::Overlay, archive) {
        Err(Error::Archive { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

sandboxed! {
    fn streams_that_are_no_archive() {
        let whole = tar([Entry::file("x", vec![7; 1000])]);
        for length in [100, 512, 600, 1535] {
            assert_eq!(malformed(&whole[..length]), Malformed::Truncated, "{length}");
        }
        assert_eq!(malformed(&[&whole[..], b"more"].concat()), Malformed::Trailing);
        assert_eq!(malformed(&[&whole[..], &whole[..]].concat()), Malformed::Trailing);
        assert_eq!(malformed(&[b'x'; 1024]), Malformed::BadHeader(0));
        let mut flipped = whole.clone();
        flipped[3] ^= 1;
        assert_eq!(malformed(&flipped), Malformed::BadHeader(0));
        // An extension that extends nothing.
        assert_eq!(malformed(&tar([Entry::new(b'L', "x").data("name")])), Malformed::Truncated);
        // Without its two empty blocks it is whole nevertheless: some tools leave them out.
        Ground::new().unpack_as(Whiteouts::Overlay, &whole[..whole.len() - 1024]).unwrap();
    }
}

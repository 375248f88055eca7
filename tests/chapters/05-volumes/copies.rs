//! 5.3: a copy is as its original.

use super::expect::expect;
use super::sandbox::{all_powerful, sandboxed};
use rustix::fs::{Gid, Mode, Timespec, Timestamps, Uid};
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use volumes::{Attributes, give};

/// Runs as root may open files of others (capabilities(7), file capabilities; version 2 of linux/capability.h):
/// CAP_NET_BIND_SERVICE, permitted and effective.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// What a file of an image may have. Where this test is not all-powerful, it is the only user there is.
fn original() -> Attributes {
    let (uid, gid) = if all_powerful() { (7, 8) } else { (0, 0) };
    let time = |tv_sec| Timespec { tv_sec, tv_nsec: 5 };
    Attributes {
        uid: Uid::from_raw(uid),
        gid: Gid::from_raw(gid),
        mode: Mode::from_raw_mode(0o4751),
        xattrs: Vec::new(),
        times: Timestamps { last_access: time(1_000_000), last_modification: time(2_000_000) },
    }
}

/// A new program that was given these attributes.
fn copied(folder: &Path, original: &Attributes) -> fs::Metadata {
    let path = folder.join("copy");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let copy = File::open(&path).unwrap();
    give(copy.as_fd(), original).unwrap_or_else(|error| panic!("give failed: {error}"));
    fs::metadata(&path).unwrap()
}

sandboxed! {
    fn owner_and_group_are_the_originals() {
        let folder = tempfile::tempdir().unwrap();
        let (original, copy) = (original(), copied(folder.path(), &original()));
        let text = |uid: u32, gid: u32| format!("{uid}:{gid}");
        let why = "owner and group of a copy are those of its original. Read chown(2).";
        expect(text(copy.uid(), copy.gid()), text(original.uid.as_raw(), original.gid.as_raw()), why);
    }

    fn a_set_user_id_bit_survives() {
        let folder = tempfile::tempdir().unwrap();
        let copy = copied(folder.path(), &original());
        let why = "the original is a program with the set-user-ID bit (4000), and so must be the copy. If only that bit is missing, it was \
                   there, and something later took it away: read chown(2), on S_ISUID.";
        expect(format!("{:o}", copy.mode() & 0o7777), "4751".to_owned(), why);
    }

    fn a_programs_capabilities_survive() {
        let folder = tempfile::tempdir().unwrap();
        let original = Attributes { xattrs: vec![("security.capability".to_owned(), CAPABILITY.to_vec())], ..original() };
        copied(folder.path(), &original);
        let found = xattr::get(folder.path().join("copy"), "security.capability").unwrap();
        assert!(
            found.is_some_and(|value| value.len() >= CAPABILITY.len()),
            "\nexpected: the copy has the extended attribute security.capability, which its original has\nfound:    it does not\nIf it was \
             set, something later took it away. Read capabilities(7), \"File capabilities\", and chown(2).\n"
        );
    }

    fn times_are_the_originals() {
        let folder = tempfile::tempdir().unwrap();
        let copy = copied(folder.path(), &original());
        let why = "a copy is as old as its original: last access and last modification, in seconds and nanoseconds. Read utimensat(2).";
        let found = format!("{}.{} {}.{}", copy.atime(), copy.atime_nsec(), copy.mtime(), copy.mtime_nsec());
        expect(found, "1000000.5 2000000.5".to_owned(), why);
    }
}

//! Archives with random damage: whatever comes of them, it is an answer, and it stays beneath the root.

use layers::unpack::Whiteouts;
use proptest::prelude::*;

use super::archive::{Entry, Ground, tar};
use super::sandbox::sandboxed;

/// An archive with one of everything.
fn everything() -> Vec<u8> {
    tar([
        Entry::folder("a/"),
        Entry::file("a/file", "content"),
        Entry::symlink("a/way", "../outside"),
        Entry::symlink("b", "a"),
        Entry::file("b/through", "x"),
        Entry::hard_link("a/hard", "a/file"),
        Entry::new(b'L', "././@LongLink").data("a/long\0"),
        Entry::file("x", "long"),
        Entry::file("x", "12345").record("path", "a/pax").record("mtime", "1.5").record("SCHILY.xattr.user.x", "y"),
        Entry::file("s", "headtail").record("GNU.sparse.size", "4000").record("GNU.sparse.map", "0,4,2000,4"),
        Entry::file("a/.wh.gone", ""),
        Entry::file("a/.wh..wh..opq", ""),
        Entry::new(b'6', "pipe"),
    ])
}

/// Puts the checksum of every header right again, so that the damage gets further than to the first check.
fn mend(archive: &mut [u8]) {
    for block in archive.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

sandboxed! {
    fn damaged_archives_stay_beneath_the_root() {
        let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
        let whole = everything();
        let interesting = prop_oneof![any::<u8>(), Just(b'/'), Just(b'.'), Just(b'0'), Just(b'7'), Just(0), Just(0xff)];
        let damage = proptest::collection::vec((0..whole.len(), interesting), 1..12);
        let whiteouts = prop_oneof![Just(Whiteouts::Overlay), Just(Whiteouts::Apply), Just(Whiteouts::Keep)];
        let cut = prop_oneof![3 => Just(usize::MAX), 1 => 0..whole.len()];
        proptest!(config, |(damage in damage, whiteouts in whiteouts, cut in cut)| {
            let mut archive = whole.clone();
            for (place, byte) in damage {
                archive[place] = byte;
            }
            mend(&mut archive);
            archive.truncate(cut);
            let ground = Ground::new();
            // Either is fine; a panic, or a canary that died, is not.
            let _ = ground.unpack_as(whiteouts, &archive);
            ground.assert_nothing_escaped();
        });
    }
}

//! The content store: a blob is what its name says, or it is not there.

use std::io::{self, Read};
use std::path::PathBuf;

use layers::{Blobs, Digest, Error};

use super::archive::listing;

/// A store in a folder that goes with it.
struct Shelf {
    folder: tempfile::TempDir,
    blobs: Blobs,
}

fn shelf() -> Shelf {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&folder.path().join("content")).unwrap();
    Shelf { folder, blobs }
}

impl Shelf {
    fn content(&self) -> PathBuf {
        self.folder.path().join("content")
    }

    /// What lies in the store, blobs and what else is left there.
    fn stored(&self) -> Vec<String> {
        listing(&self.content().join("blobs/sha256"))
    }
}

#[test]
fn an_empty_store_is_an_oci_layout() {
    let shelf = shelf();
    assert_eq!(listing(&shelf.content()), ["blobs", "blobs/sha256", "index.json", "oci-layout"]);
    let layout = std::fs::read_to_string(shelf.content().join("oci-layout")).unwrap();
    assert_eq!(layout, r#"{"imageLayoutVersion":"1.0.0"}"#);
}

#[test]
fn a_blob_comes_back_as_it_was() {
    let shelf = shelf();
    let digest = shelf.blobs.put(b"hello").unwrap();
    assert_eq!(shelf.blobs.put(b"hello").unwrap(), digest);
    assert_eq!(shelf.blobs.document(&digest).unwrap(), b"hello");
    assert_eq!(shelf.blobs.size(&digest), Some(5));
    assert_eq!(shelf.blobs.list().unwrap(), [digest]);
    shelf.blobs.remove(&digest).unwrap();
    shelf.blobs.remove(&digest).unwrap();
    assert!(matches!(shelf.blobs.read(&digest), Err(Error::NoSuchBlob(missing)) if missing == digest));
}

#[test]
fn a_document_that_was_tampered_with_is_refused() {
    let shelf = shelf();
    let digest = shelf.blobs.put(b"{}").unwrap();
    std::fs::write(shelf.blobs.path(&digest), "[]").unwrap();
    assert!(matches!(shelf.blobs.document(&digest), Err(Error::WrongDigest { .. })));
    std::fs::File::options().write(true).open(shelf.blobs.path(&digest)).unwrap().set_len(5 << 20).unwrap();
    assert!(matches!(shelf.blobs.document(&digest), Err(Error::BlobTooLarge { .. })));
}

const VERIFY: &str = "\
    Whoever sends a blob may be wrong, or lie. Its digest is computed from the bytes that arrived, and compared with \
    the one that was asked for; the same with the size. Read: OCI image-spec, descriptor.md, \"Verification\"";

#[test]
fn a_blob_is_received_whole_and_under_its_digest() {
    let shelf = shelf();
    // Longer than any buffer, from a sender that is interrupted and hands out odd pieces.
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|number| number as u8).collect();
    let digest = Digest::of(&bytes);
    let sender = || Stuttering { bytes: &bytes, turn: 0 };
    for (promised, size) in [(None, None), (Some(digest), Some(bytes.len() as u64)), (Some(digest), None)] {
        let received = shelf.blobs.write(sender(), promised, size);
        let received = received.unwrap_or_else(|error| {
            panic!("an honest blob was refused (digest promised: {promised:?}, size: {size:?}): {error}. {VERIFY}")
        });
        assert_eq!(received, (digest, bytes.len() as u64), "the digest and the size of what arrived. {VERIFY}");
        assert!(
            std::fs::read(shelf.blobs.path(&digest)).unwrap() == bytes,
            "the stored bytes are not those that were sent: read(2) may return fewer bytes than the buffer takes, and \
             only those count"
        );
        shelf.blobs.remove(&digest).unwrap();
    }
    let empty = shelf.blobs.write(io::empty(), Some(Digest::of(b"")), Some(0)).unwrap();
    assert_eq!(empty, (Digest::of(b""), 0), "an empty blob is one, too");
}

#[test]
fn a_blob_that_is_not_what_was_promised_is_not_stored() {
    let shelf = shelf();
    let (digest, other) = (Digest::of(b"hello"), Digest::of(b"other"));
    let write = |digest, size| shelf.blobs.write(&b"hello"[..], digest, size);
    let told = |result: Result<_, Error>| result.map_or_else(|error| error.to_string(), |_| "stored".to_owned());
    assert_eq!(
        told(write(Some(other), None)),
        Error::WrongDigest { expected: other, found: digest }.to_string(),
        "other bytes came than were asked for. {VERIFY}"
    );
    for (size, how) in
        [(6, "the connection ended early: less came than was promised"), (4, "more came than was promised")]
    {
        let expected = Error::WrongSize { expected: size, found: 5 }.to_string();
        assert_eq!(
            told(write(Some(digest), Some(size))),
            expected,
            "{how}, and the right digest does not heal that. {VERIFY}"
        );
    }
    let broken = (&b"hel"[..]).chain(Broken);
    let error = shelf.blobs.write(broken, None, None).expect_err("half a blob came, then the connection broke");
    assert!(matches!(error, Error::Io { .. }), "the connection's own error is told, not {error:?}");
    assert_eq!(shelf.stored(), [] as [&str; 0], "of a blob that is refused, nothing is left in the store");
}

#[test]
fn a_sender_that_never_stops_is_not_listened_to() {
    let shelf = shelf();
    let mut endless = Endless { sent: 0 };
    let result = shelf.blobs.write(&mut endless, None, Some(1000));
    assert!(
        matches!(result, Err(Error::WrongSize { expected: 1000, .. })),
        "1000 bytes were promised and came, and more came after them; the answer was {result:?}. {VERIFY}"
    );
    assert_eq!(
        endless.sent, 1001,
        "so many bytes were taken of a blob that was promised to have 1000. One more than promised is enough to know, and a disk is soon \
         full: ask for no more than that in each read"
    );
    assert_eq!(shelf.stored(), [] as [&str; 0], "of a blob that is refused, nothing is left in the store");
}

/// Sends in small pieces, with interruptions.
struct Stuttering<'a> {
    bytes: &'a [u8],
    turn: usize,
}

impl Read for Stuttering<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        if self.turn.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let room = buffer.len().min(7001);
        self.bytes.read(&mut buffer[..room])
    }
}

/// A connection that breaks.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

/// Sends for as long as somebody listens, or nearly so: the test has to end.
struct Endless {
    sent: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.sent > 4 << 20 {
            return Ok(0);
        }
        buffer.fill(7);
        self.sent += buffer.len() as u64;
        Ok(buffer.len())
    }
}

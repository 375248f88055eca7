//! What can go wrong with images and layers, each with the step, the object and what to do next.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with images and layers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call on a file failed.
    #[error("cannot {step} {path}: {source}", path = path.display())]
    Io { step: &'static str, path: PathBuf, source: io::Error },
    /// Not `algorithm:hex`, or an algorithm this crate does not compute.
    #[error("invalid digest {0:?}: expected sha256: and 64 lowercase hexadecimal digits")]
    InvalidDigest(String),
    /// Bytes that are not those their name promises.
    #[error("wrong digest: expected {expected}, the content has {found}")]
    WrongDigest { expected: Digest, found: Digest },
    /// More or fewer bytes than promised.
    #[error("wrong size: expected {expected} bytes, found {found}")]
    WrongSize { expected: u64, found: u64 },
    /// The store does not hold this blob.
    #[error("blob {0} is not in the store")]
    NoSuchBlob(Digest),
    /// A document larger than any honest one, which would have to be held in memory.
    #[error("blob {digest} has {size} bytes; a document may have {limit}")]
    BlobTooLarge { digest: Digest, size: u64, limit: u64 },
    /// The layer's uncompressed bytes are not those the image's config lists.
    #[error("layer {layer} unpacks to the diff ID {found}, but the image's config says {expected}")]
    WrongDiffId { layer: String, expected: Digest, found: Digest },
    /// The archive of a layer was refused.
    #[error("layer {layer}: {entry:?}: {why}")]
    Refused { layer: String, entry: String, why: Refusal },
    /// A layer could not be written.
    #[error("layer {layer}: {entry:?}: cannot {step}: {source}")]
    Unpack { layer: String, entry: String, step: &'static str, source: io::Error },
    /// The stream of a layer is not what it says it is.
    #[error("layer {layer}: {problem}")]
    Archive { layer: String, problem: Malformed },
    /// The stream of a layer could not be read.
    #[error("layer {layer}: cannot read it: {source}")]
    Unreadable { layer: String, source: io::Error },
    /// A folder and something else would have to take each other's place, in Docker's words.
    #[error("cannot overwrite {} {path:?} with {} {at:?}", kind_of(*is_folder), kind_of(!is_folder))]
    Clash { is_folder: bool, path: PathBuf, at: PathBuf },
    /// An entry could not be copied.
    #[error("cannot copy {entry:?}: {why}")]
    Copy { entry: String, why: String },
    /// Nothing to mount.
    #[error("an image without layers has no filesystem to mount")]
    NoLayers,
    /// A name that is not one, in Docker's words.
    #[error("{0}")]
    Reference(String),
    /// Not `os/architecture[/variant]`.
    #[error("{0:?} is not a platform; write it as linux/amd64 or linux/arm/v7")]
    Platform(String),
    /// A manifest, index or config that cannot be read, or contradicts itself.
    #[error("invalid {kind}: {why}")]
    Document { kind: &'static str, why: String },
    /// Nothing has this name or ID.
    #[error("No such image: {0}")]
    NoSuchImage(String),
    /// The image is in use, or has other names.
    #[error("{0}")]
    Conflict(String),
    /// An archive of images that cannot be loaded.
    #[error("cannot load the archive: {0}")]
    Load(String),
    /// A blob that would grow past what a layer may have.
    #[error("a layer grows past the limit of {0} bytes")]
    LayerTooLarge(u64),
    /// The archive of images ended early, or is none.
    #[error("cannot read the archive: {0}")]
    Stream(io::Error),
    /// The receiver of an archive went away.
    #[error("cannot write the archive: {0}")]
    Send(io::Error),
    /// overlayfs stacks at most 500 lower layers.
    #[error("the image has {0} layers; the kernel's overlayfs stacks at most 500")]
    TooManyLayers(usize),
    /// The kernel refused a mount.
    #[error("cannot mount overlay ({step}): {source}{}", hint(source, message))]
    Overlay { step: &'static str, source: io::Error, message: String },
}

impl Error {
    /// For `map_err`: which step on which path failed.
    pub(crate) fn io(step: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { step, path, source }
    }
}

/// Why an entry of an archive was refused: each way to reach out of the root, or to deceive overlayfs, has its own name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("its name climbs with \"..\"")]
    Climbs,
    #[error("its name is empty, too long or holds a NUL")]
    BadName,
    #[error("the link {0:?} on its way climbs out of the root")]
    ParentClimbs(String),
    #[error("the link {0:?} on its way leads to nothing in this layer")]
    ParentDangles(String),
    #[error("{0:?} on its way is not a folder")]
    ParentNotFolder(String),
    #[error("too many links on its way")]
    ParentLoops,
    #[error("the root of a layer has to be a folder")]
    RootNotFolder,
    #[error("a hard link to {0:?} would leave the root")]
    HardLinkOut(String),
    #[error("a hard link to {0:?}, which this layer does not hold")]
    HardLinkMissing(String),
    #[error("a hard link to the folder {0:?}")]
    HardLinkFolder(String),
    #[error("there is a folder in its place")]
    FolderInTheWay,
    #[error("there is something in its place that is no folder")]
    NoFolderInTheWay,
    #[error("a whiteout of the root, or of what is above it")]
    WhiteoutOut,
    #[error("a character device 0:0, which overlayfs would take for a whiteout")]
    DisguisedWhiteout,
    #[error("device number {major}:{minor} is out of range")]
    BadDevice { major: u64, minor: u64 },
    #[error("entry type {0:?} is not one a layer may hold")]
    UnknownType(char),
    #[error("an extension header of {0} bytes")]
    LargeExtension(u64),
    #[error("a malformed extension header: {0}")]
    BadExtension(String),
    #[error("its {0} is out of range")]
    BadField(&'static str),
    #[error("a malformed map of a sparse file")]
    BadSparseMap,
    #[error("the archive unpacks to more than the limit of {0} bytes")]
    TooManyBytes(u64),
    #[error("the archive holds more than {0} entries")]
    TooManyEntries(u64),
}

/// What is wrong with a stream, before any entry is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the archive is truncated")]
    Truncated,
    #[error("there is something after the end of the archive")]
    Trailing,
    #[error("what should be a tar header at byte {0} is none")]
    BadHeader(u64),
    #[error("the compressed data is corrupt: {0}")]
    Corrupt(String),
    #[error("its media type is {0}, but it is not compressed so")]
    NotCompressed(String),
    #[error("it is compressed with {0}; a layer may be compressed with gzip or zstd")]
    Unsupported(&'static str),
}

/// A failure while unpacking, before it is known to which layer and entry it belongs.
#[derive(Debug)]
pub enum Fault {
    /// The archive cannot be read on.
    Source(io::Error),
    /// Something cannot be written.
    Step(&'static str, io::Error),
    Malformed(Malformed),
    Refused(Refusal),
}

impl Fault {
    /// For `map_err`: which step failed.
    pub(crate) fn step<E: Into<io::Error>>(step: &'static str) -> impl FnOnce(E) -> Fault {
        move |source| Fault::Step(step, source.into())
    }

    /// Names the layer and the entry.
    pub fn at(self, layer: &str, entry: &[u8]) -> Error {
        let layer = layer.to_string();
        let entry = String::from_utf8_lossy(entry).into_owned();
        match self {
            Fault::Step(step, source) => Error::Unpack { layer, entry, step, source },
            Fault::Refused(why) => Error::Refused { layer, entry, why },
            Fault::Malformed(problem) => Error::Archive { layer, problem },
            // Decoders wrap what they find into an io::Error; what the disk has to say carries an errno.
            Fault::Source(source) => match source.get_ref().and_then(|inner| inner.downcast_ref::<Malformed>()) {
                Some(problem) => Error::Archive { layer, problem: problem.clone() },
                None if source.kind() == io::ErrorKind::UnexpectedEof => {
                    Error::Archive { layer, problem: Malformed::Truncated }
                }
                None if source.raw_os_error().is_none() => {
                    Error::Archive { layer, problem: Malformed::Corrupt(source.to_string()) }
                }
                None => Error::Unreadable { layer, source },
            },
        }
    }
}

impl From<Refusal> for Fault {
    fn from(why: Refusal) -> Fault {
        Fault::Refused(why)
    }
}

impl From<Malformed> for Fault {
    fn from(problem: Malformed) -> Fault {
        Fault::Malformed(problem)
    }
}

fn kind_of(is_folder: bool) -> &'static str {
    if is_folder { "directory" } else { "non-directory" }
}

/// The sentence after a refused mount that says what to do next.
fn hint(source: &io::Error, message: &str) -> String {
    let advice = match source.raw_os_error() {
        Some(libc::ENODEV) => "the kernel has no overlayfs: load it with `modprobe overlay`",
        Some(libc::EPERM) => "not permitted: an ordinary user needs a user namespace and Linux 5.11 or newer",
        // Most of overlayfs's reasons go to the kernel's log only.
        Some(libc::EINVAL) if message.is_empty() => "the kernel's log says why: dmesg | tail",
        _ => "",
    };
    [message, advice].iter().filter(|text| !text.is_empty()).map(|text| format!("; {text}")).collect()
}

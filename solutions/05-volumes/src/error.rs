//! What can go wrong with volumes and mounts, in Docker's words where Docker has some.

use std::io;
use std::path::PathBuf;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with volumes and mounts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `-v` in a form that it does not have.
    #[error("invalid volume specification: '{0}'")]
    Specification(String),
    /// `-v`, well formed, of a mount that cannot be.
    #[error("invalid volume specification: '{specification}': {source}")]
    Short { specification: String, source: Box<Error> },
    /// The third part of `-v`, or the second of `--volumes-from`.
    #[error("invalid mode: {0}")]
    Mode(String),
    /// `--mount`, understood, of a mount that cannot be.
    #[error("invalid mount config for type {kind:?}: {fault}")]
    Mount { kind: String, fault: Fault },
    /// Options of a bind mount that contradict each other.
    #[error("mount options conflict: {0}")]
    Conflict(&'static str),
    /// Two mounts on one place.
    #[error("Duplicate mount point: {0}")]
    Duplicate(String),
    /// `--volumes-from ""`
    #[error("volumes-from specification cannot be an empty string")]
    VolumesFrom,
    /// What was typed on the command line is no mount at all; said before any engine is asked.
    #[error("{0}")]
    Flag(String),

    /// A name that cannot be one.
    #[error("create {0}: volume name is too short, names should be at least two alphanumeric characters")]
    NameTooShort(String),
    /// A name that cannot be one.
    #[error(
        "create {0}: {0:?} includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are \
         allowed. If you intended to pass a host directory, use absolute path"
    )]
    Name(String),
    /// A volume driver that is not here: there is only `local`.
    #[error("create {name}: error looking up volume plugin {driver}: plugin {driver:?} not found")]
    Driver { name: String, driver: String },
    /// An option that the driver does not have, or cannot have as it was given.
    #[error("create {name}: {fault}")]
    Option { name: String, fault: OptionFault },
    /// Nothing has this name.
    #[error("get {0}: no such volume")]
    NoSuchVolume(String),
    /// Containers need it.
    #[error("remove {name}: volume is in use - [{}]", users.join(", "))]
    InUse { name: String, users: Vec<String> },

    /// A part of a volume that is not there.
    #[error("cannot access path {}: {source}", path.display())]
    Subpath { path: PathBuf, source: io::Error },
    /// A part of a volume that is a link out of it.
    #[error("path concatenation escapes the base directory, base: {base:?}, subpath: {subpath:?}")]
    Escape { base: PathBuf, subpath: String },
    /// A folder among the volumes that is none.
    #[error("{} is no volume: its volume.json {why}; take what you need from it, and remove it", path.display())]
    Damaged { path: PathBuf, why: String },
    /// A system call on a file failed.
    #[error("cannot {step} {}: {source}", path.display())]
    Io { step: &'static str, path: PathBuf, source: io::Error },
}

/// Why a mount cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says it itself")]
pub enum Fault {
    #[error("field {0} must not be empty")]
    Missing(&'static str),
    #[error("field {0} must not be specified")]
    Extra(&'static str),
    #[error("invalid specification: destination can't be '/'")]
    Root,
    #[error("invalid mount path: '{0}' mount path must be absolute")]
    Relative(String),
    #[error("invalid propagation mode: {0}")]
    Propagation(String),
    #[error("bind source path does not exist: {0}")]
    NoSource(String),
    #[error("must not set Subpath when using anonymous volumes")]
    AnonymousSubpath,
    #[error("subpath must be a relative path within the volume")]
    Subpath,
    #[error("invalid option: {0}")]
    TmpfsOption(String),
    #[error("mount type unknown")]
    Kind,
}

/// Why a volume cannot have an option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says it itself")]
pub enum OptionFault {
    #[error("invalid option: {0:?}")]
    Unknown(String),
    #[error("missing required option: {0:?}")]
    Missing(&'static str),
    #[error("quota size requested but no quota support")]
    Quota,
    #[error(
        "a volume of type {0:?} is not supported: there are tmpfs (type=tmpfs,device=tmpfs) and bind mounts \
         (type=none,o=bind,device=/path)"
    )]
    Kind(String),
    #[error("invalid mount option {0:?}")]
    MountOption(String),
    #[error("the device of a bind mount is an absolute path, not {0:?}")]
    Device(String),
}

impl Error {
    /// For `map_err`: which step on which path failed.
    pub(crate) fn io<E: Into<io::Error>>(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(E) -> Error {
        let path = path.into();
        move |source| Error::Io { step, path, source: source.into() }
    }
}

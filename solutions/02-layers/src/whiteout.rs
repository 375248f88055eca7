//! How a layer says that something below it is gone.
//!
//! In an archive: an empty file `.wh.name` hides `name` of the layers below, and `.wh..wh..opq` hides all that the
//! layers below hold in its folder (OCI image-spec, layer.md, "Whiteouts"). In a folder that overlayfs stacks: a
//! character device 0:0, and an extended attribute on the folder (kernel, overlayfs.rst, "whiteouts and opaque
//! directories"). Neither ever hides what is in the same layer.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{FileType, Mode, OFlags, XattrFlags, fgetxattr, makedev, mknodat, openat, setxattr};
use rustix::io::Errno;

use crate::error::{Fault, Refusal};
use crate::sys;

pub(crate) const PREFIX: &[u8] = b".wh.";
pub(crate) const OPAQUE: &str = ".wh..wh..opq";
/// Names that aufs, where whiteouts come from, keeps for itself.
const RESERVED: &[u8] = b".wh..wh.";

/// What the name of an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// This name is hidden.
    Hides(OsString),
    /// All in this folder is hidden.
    Opaque,
    /// Left over from aufs; means nothing.
    Reserved,
}

impl Mark {
    /// Reads the last part of an entry's path. Nothing, if it is an ordinary file.
    pub(crate) fn parse(name: &OsStr) -> Result<Option<Mark>, Refusal> {
        let bytes = name.as_bytes();
        let Some(hidden) = bytes.strip_prefix(PREFIX) else { return Ok(None) };
        match hidden {
            _ if name == OPAQUE => Ok(Some(Mark::Opaque)),
            _ if bytes.starts_with(RESERVED) => Ok(Some(Mark::Reserved)),
            // `.wh.` would hide its own folder, `.wh...` the one above.
            b"" | b"." | b".." => Err(Refusal::WhiteoutOut),
            hidden => Ok(Some(Mark::Hides(OsStr::from_bytes(hidden).to_os_string()))),
        }
    }
}

/// Says in a layer's own folder what a whiteout of its archive said, in the way that overlayfs understands. All other
/// files of the layer are there already.
///
/// `folder` is the one that the whiteout stood in. A whiteout speaks of the layers *below*, and never hides what its own
/// layer brings, in whatever order the two stood in the archive. So:
///
/// * [`Mark::Opaque`] (`.wh..wh..opq`): nothing below shows in `folder`: [`set_opaque`].
/// * [`Mark::Hides`] (`.wh.name`): `name` is gone: [`make_whiteout`], which cannot do it if the layer itself has
///   something of that name. If that is a file, it covers what is below anyway. A folder would be *merged* with the
///   one below, so it is this folder that has to be opaque; [`open_subfolder`] tells which of the two it is.
/// * [`Mark::Reserved`] means nothing.
///
/// OCI image-spec, layer.md, "Whiteouts"; kernel, overlayfs.rst, "whiteouts and opaque directories".
pub(crate) fn leave_mark(folder: BorrowedFd<'_>, mark: &Mark) -> Result<(), Fault> {
    // exercise: 2.3 leave_mark: hide what is below, and nothing of the same layer
    match mark {
        Mark::Opaque => set_opaque(folder),
        Mark::Reserved => Ok(()),
        Mark::Hides(name) => {
            if make_whiteout(folder, name)? {
                return Ok(());
            }
            // The name is taken by this layer itself. A file hides what is below anyway; a folder would be merged.
            match open_subfolder(folder, name) {
                Some(own) => set_opaque(own),
                None => Ok(()),
            }
        }
    }
    // end exercise
}

/// The folder of this name, if there is one and it is not a link.
pub(crate) fn open_subfolder(folder: BorrowedFd<'_>, name: &OsStr) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty()).ok()
}

/// The attributes overlayfs keeps its marks in: `trusted.` needs CAP_SYS_ADMIN over the whole machine, so that in a
/// user namespace it is told to use `user.` (mount option `userxattr`).
pub(crate) fn opaque_attribute() -> &'static str {
    if sys::in_user_namespace() { "user.overlay.opaque" } else { "trusted.overlay.opaque" }
}

/// Whether an attribute is overlayfs's own: from an archive it would be a forgery, in one it would be noise.
pub(crate) fn is_overlay_attribute(name: &[u8]) -> bool {
    name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.")
}

/// Marks a folder as opaque.
pub(crate) fn set_opaque(folder: impl AsFd) -> Result<(), Fault> {
    // An O_PATH descriptor takes no attributes itself (fsetxattr(2)), its name under /proc does.
    let path = format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd());
    setxattr(path, opaque_attribute(), b"y", XattrFlags::empty()).map_err(Fault::step("mark its folder as opaque"))
}

/// Whether overlayfs shows nothing of the layers below in this folder. Both kinds of mark count: the folder may have
/// been written by root, or in a user namespace.
pub(crate) fn is_opaque(folder: impl AsFd) -> bool {
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        let mut value = [0_u8; 1];
        matches!(fgetxattr(&folder, *name, &mut value), Ok(1)) && value == *b"y"
    })
}

/// Hides a name in a folder of an overlay. Any user namespace may make this one device (since Linux 5.8).
/// Returns whether it could; not, if the name is taken.
pub(crate) fn make_whiteout(folder: impl AsFd, name: &OsStr) -> Result<bool, Fault> {
    match mknodat(folder, name, FileType::CharacterDevice, Mode::empty(), makedev(0, 0)) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(Fault::Step("hide what is below", errno.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_whiteouts() {
        let parse = |name: &str| Mark::parse(OsStr::new(name));
        assert_eq!(parse("etc"), Ok(None));
        assert_eq!(parse(".whatever"), Ok(None));
        assert_eq!(parse(".wh.etc"), Ok(Some(Mark::Hides("etc".into()))));
        assert_eq!(parse(".wh...."), Ok(Some(Mark::Hides("...".into()))));
        assert_eq!(parse(".wh..wh..opq"), Ok(Some(Mark::Opaque)));
        assert_eq!(parse(".wh..wh.plnk"), Ok(Some(Mark::Reserved)));
        for name in [".wh.", ".wh..", ".wh..."] {
            assert_eq!(parse(name), Err(Refusal::WhiteoutOut));
        }
    }
}

//! Stacking layers: overlayfs shows many folders as one, and writes only to the topmost.
//!
//! The mount is made *detached* (fsopen, fsconfig, fsmount): it hangs nowhere, the host's mount table never shows it,
//! and it vanishes with its last file descriptor. Whoever wants to see it moves it into place, in a mount namespace of
//! their own. Kernel: Documentation/filesystems/overlayfs.rst.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen, open_tree,
};

use crate::error::{Error, Result};
use crate::{legacy_overlay, sys};

/// The kernel's limit on lower layers (`OVL_MAX_STACK`).
const MAX_LAYERS: usize = 500;

/// Mounts a stack of layers, lowest first, and on top of it a folder that takes the writes (`upper`) with its scratch
/// space (`work`: empty, on the same filesystem). Without the two the mount is read-only. Returns a detached mount.
///
/// # Errors
/// [`Error::TooManyLayers`], [`Error::NoLayers`], or [`Error::Overlay`] with the kernel's own words.
pub fn mount(lower: &[PathBuf], upper_work: Option<(&Path, &Path)>) -> Result<OwnedFd> {
    mount_stack(lower, upper_work, false)
}

/// As [`mount`], for a container whose files are deleted with it: the kernel then writes nothing back to the disk on
/// unmount (option `volatile`), which is most of what an unmount costs.
///
/// # Errors
/// As [`mount`].
pub fn mount_volatile(lower: &[PathBuf], upper: &Path, work: &Path) -> Result<OwnedFd> {
    // The kernel leaves this mark to refuse a second mount after a crash. These files were never meant to survive one.
    let mark = work.join("work/incompat");
    match fs::remove_dir_all(&mark) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", mark)(error)),
        _ => mount_stack(lower, Some((upper, work)), true),
    }
}

fn mount_stack(lower: &[PathBuf], upper_work: Option<(&Path, &Path)>, volatile: bool) -> Result<OwnedFd> {
    match (lower, upper_work) {
        ([], None) => return Err(Error::NoLayers),
        // overlayfs wants two folders at least; a single one needs no stacking.
        ([], Some((upper, _))) => return bind(upper, false),
        ([single], None) => return bind(single, true),
        _ if lower.len() > MAX_LAYERS => return Err(Error::TooManyLayers(lower.len())),
        _ => {}
    }
    tell(lower, upper_work);
    let stack = Stack { lower, upper_work, volatile, userxattr: sys::in_user_namespace() };
    match stack.mount() {
        // Before Linux 6.7 there is no "lowerdir+"; before 6.5 that is only noticed at the end.
        Err(Error::Overlay { step: "add a layer" | "create", source, message })
            if source.raw_os_error() == Some(libc::EINVAL) =>
        {
            let first = Error::Overlay { step: "create", source, message };
            legacy_overlay::mount(&stack).map_err(|second| more_telling(first, second))
        }
        result => result,
    }
}

/// Of two failures the one that the kernel had words for.
fn more_telling(first: Error, second: Error) -> Error {
    match &first {
        Error::Overlay { message, .. } if !message.is_empty() && !message.contains("lowerdir+") => first,
        _ => second,
    }
}

/// The folders of an overlay, each with the name of the option that gives it to the kernel, in the order they are given.
///
/// An image lists its layers lowest first, and so does `lower`. overlayfs reads its lower layers from the top down:
/// where two hold a file of one name, it shows that of the layer it was given first. In one string that is
/// `lowerdir=top:middle:lowest`; to fsconfig(2) it is one option `lowerdir+` a folder, in the same order.
///
/// After the layers, and only where somebody may write, come `upperdir`, the folder that all writes go to, and
/// `workdir`, its scratch space on the same filesystem, where overlayfs prepares a file before it renames it into
/// place. Without the two the overlay is read-only. Kernel, overlayfs.rst, "Upper and Lower", "Multiple lower layers".
pub fn folders<'a>(lower: &'a [PathBuf], upper_work: Option<(&'a Path, &'a Path)>) -> Vec<(&'static str, &'a Path)> {
    // exercise: 2.4 folders: the topmost layer first, and on top of all what takes the writes
    todo!("exercise 2.4, folders: the topmost layer first, and on top of all what takes the writes")
    // end exercise
}

/// What is to be mounted.
pub(crate) struct Stack<'a> {
    /// Lowest first.
    pub(crate) lower: &'a [PathBuf],
    pub(crate) upper_work: Option<(&'a Path, &'a Path)>,
    pub(crate) volatile: bool,
    /// Inside a user namespace `trusted.*` attributes are out of reach; overlayfs then keeps its marks in `user.*`.
    pub(crate) userxattr: bool,
}

impl Stack<'_> {
    fn mount(&self) -> Result<OwnedFd> {
        let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(|errno| Error::Overlay {
            step: "open",
            source: errno.into(),
            message: String::new(),
        })?;
        let context = context.as_fd();
        let failed = |step| move |errno: rustix::io::Errno| explain_failure(step, context, errno.into());

        for (key, value) in self.options() {
            match value {
                None => fsconfig_set_flag(context, key),
                Some(value) => fsconfig_set_string(context, key, value),
            }
            .map_err(failed("set an option"))?;
        }
        // ANCHOR: stack
        for (key, folder) in folders(self.lower, self.upper_work) {
            set_folder(context, key, folder)?;
        }
        fsconfig_create(context).map_err(failed("create"))?;
        // ANCHOR_END: stack
        let attributes =
            if self.upper_work.is_none() { MountAttrFlags::MOUNT_ATTR_RDONLY } else { MountAttrFlags::empty() };
        fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).map_err(failed("mount"))
    }

    /// Options but the folders. Index, metacopy and redirects would leave marks in the upper folder that only overlayfs
    /// understands; without them it holds plain files and whiteouts, and can be made a layer.
    pub(crate) fn options(&self) -> Vec<(&'static str, Option<&'static str>)> {
        let mut options = vec![("index", Some("off"))];
        if self.userxattr {
            // Implies that metacopy and redirects are off; naming them as well is refused as a conflict.
            options.push(("userxattr", None));
        } else {
            options.extend([("metacopy", Some("off")), ("redirect_dir", Some("off"))]);
        }
        if self.volatile {
            options.push(("volatile", None));
        }
        options
    }
}

/// Gives overlayfs a folder by path, or through `/proc/self/fd` where the path is longer than what fsconfig(2) takes, or
/// holds a backslash, which overlayfs takes for an escape in some options and not in others.
fn set_folder(context: BorrowedFd<'_>, key: &str, folder: &Path) -> Result<()> {
    const LONGEST: usize = 255;
    let step = match key {
        "upperdir" => "set the upper folder",
        "workdir" => "set the work folder",
        _ => "add a layer",
    };
    let failed = |errno: rustix::io::Errno| explain_failure(step, context, errno.into());
    let bytes = folder.as_os_str().as_bytes();
    if bytes.len() <= LONGEST && folder.is_absolute() && !bytes.contains(&b'\\') {
        return fsconfig_set_string(context, key, folder).map_err(failed);
    }
    let folder = open_folder(folder)?;
    fsconfig_set_string(context, key, format!("/proc/self/fd/{}", folder.as_raw_fd())).map_err(failed)
}

/// A reference to a folder that can be passed on through `/proc/self/fd`.
pub(crate) fn open_folder(folder: &Path) -> Result<OwnedFd> {
    rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Error::io("open", folder)(errno.into()))
}

/// A detached bind mount of one folder.
fn bind(folder: &Path, read_only: bool) -> Result<OwnedFd> {
    tracing::info!(
        target: "explain", man = "open_tree(2)", shell = %format!("mount --bind {} /merged", folder.display()),
        "a single folder needs no stacking: a bind mount shows it as it is"
    );
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, folder, flags).map_err(|errno| Error::io("bind", folder)(errno.into()))?;
    if read_only {
        sys::make_mount_read_only(tree.as_fd()).map_err(Error::io("make read-only the mount of", folder))?;
    }
    Ok(tree)
}

/// An fscontext is also a log: reading it yields what the kernel has to say, one message at a time (fsopen(2)).
fn explain_failure(step: &'static str, context: BorrowedFd<'_>, source: io::Error) -> Error {
    let mut message = String::new();
    if let Ok(context) = context.try_clone_to_owned() {
        let mut log = File::from(context);
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = log.read(&mut buffer) {
            let line = String::from_utf8_lossy(&buffer[..count]);
            message.push_str(line.trim_start_matches(['e', 'w', 'i', ' ']).trim_end());
        }
    }
    Error::Overlay { step, source, message }
}

fn tell(lower: &[PathBuf], upper_work: Option<(&Path, &Path)>) {
    if !tracing::enabled!(target: "explain", tracing::Level::INFO) {
        return;
    }
    let folders = folders(lower, upper_work);
    let layers = folders.iter().filter(|(key, _)| *key == "lowerdir+");
    let layers: Vec<_> = layers.map(|(_, folder)| folder.display().to_string()).collect();
    let mut options = format!("lowerdir={}", layers.join(":"));
    for (key, folder) in folders.iter().filter(|(key, _)| *key != "lowerdir+") {
        options += &format!(",{key}={}", folder.display());
    }
    tracing::info!(
        target: "explain", man = "mount(2)", shell = %format!("mount -t overlay overlay -o {options} /merged"),
        "the image's {} layers below, the container's own folder on top: one filesystem", lower.len()
    );
}

//! Volumes that are memory: `volume create -o type=tmpfs -o device=tmpfs`.
//!
//! All containers that use one see the same, and with the last of them that runs it is gone. So it is mounted in the
//! volume's folder, on the host, by the first that starts; and the last that ends unmounts it. Both do so under the volume's
//! lock. An ordinary user's containers have no mounts in common, each being in a namespace of its own.

use crate::container::id::ContainerId;
use crate::{Engine, Error, Kind, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use volumes::{Held, NewVolume, Options, VolumeName};

/// Refuses what would not work.
pub(super) fn refuse_to_ordinary_user(name: &str, new: &NewVolume) -> Result<()> {
    match Options::parse(&new.options) {
        Ok(Options::Tmpfs { .. }) if crate::info::in_user_namespace() => {
            let text = format!(
                "create {name}: a volume of type tmpfs is memory that containers share, which those of an ordinary user \
                 cannot: use --tmpfs, or --mount type=tmpfs"
            );
            Err(Error::new(Kind::Invalid, text))
        }
        _ => Ok(()),
    }
}

/// Mounts the volume if nobody has yet, and opens it: who holds it open keeps it mounted.
pub(super) fn open(held: &Held, data: &[String], flags: &[String]) -> Result<OwnedFd> {
    let place = held.volume.mountpoint();
    let trouble = |e: std::io::Error| Error::system(format!("mount the volume {}", held.volume.name), e);
    let _lock = held.lock_content()?;
    if !is_mounted(&place).map_err(trouble)? {
        let flags = flags.iter().fold(MsFlags::empty(), |flags, word| with(flags, word));
        tracing::info!(
            target: "explain",
            man = "tmpfs(5)",
            shell = format!("mount -t tmpfs -o {} tmpfs {}", data.join(","), place.display()),
            "mounting memory as the volume {}", held.volume.name
        );
        mount(Some("tmpfs"), &place, Some("tmpfs"), flags, Some(data.join(",").as_str()))
            .map_err(|errno| trouble(errno.into()))?;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(&place, flags, Mode::empty()).map_err(|errno| trouble(errno.into()))
}

/// The flags of mount(2), as a later word changes them.
fn with(flags: MsFlags, word: &str) -> MsFlags {
    match word {
        "ro" => flags | MsFlags::MS_RDONLY,
        "rw" => flags - MsFlags::MS_RDONLY,
        "noexec" => flags | MsFlags::MS_NOEXEC,
        "exec" => flags - MsFlags::MS_NOEXEC,
        "nosuid" => flags | MsFlags::MS_NOSUID,
        "suid" => flags - MsFlags::MS_NOSUID,
        "nodev" => flags | MsFlags::MS_NODEV,
        "dev" => flags - MsFlags::MS_NODEV,
        "noatime" => flags | MsFlags::MS_NOATIME,
        "atime" => flags - MsFlags::MS_NOATIME,
        "relatime" => flags | MsFlags::MS_RELATIME,
        "strictatime" => flags | MsFlags::MS_STRICTATIME,
        // `defaults` is what it is anyway; others were refused when the volume was made.
        _ => flags,
    }
}

/// Whether something is mounted in a folder: it is on another filesystem than the folder above it.
fn is_mounted(place: &Path) -> std::io::Result<bool> {
    let above = place.parent().unwrap_or(place);
    Ok(fs::metadata(place)?.dev() != fs::metadata(above)?.dev())
}

/// Unmounts what somebody has left who was killed. The volume is locked, and nobody uses it.
pub(super) fn forget(place: &Path) -> Result<()> {
    match is_mounted(place) {
        Ok(true) => umount2(place, MntFlags::UMOUNT_NOFOLLOW)
            .map_err(|errno| Error::system(format!("unmount {}", place.display()), errno)),
        // One that is not there is told by who looks for it.
        Ok(false) | Err(_) => Ok(()),
    }
}

impl Engine {
    /// Unmounts a volume that is memory, if no container but this one runs that uses it.
    pub(super) fn release_memory(&self, name: &str, id: &ContainerId) -> Result<()> {
        let held = match self.volume_store().hold(&VolumeName::parse(name)?) {
            Err(volumes::Error::NoSuchVolume(_)) => return Ok(()),
            held => held?,
        };
        let place = held.volume.mountpoint();
        let trouble = |e: std::io::Error| Error::system("unmount it", e);
        if !matches!(held.volume.backing(), Options::Tmpfs { .. }) || !is_mounted(&place).map_err(trouble)? {
            return Ok(());
        }
        let _lock = held.lock_content()?;
        for container in self.containers()?.into_iter().filter(|container| container.id != *id) {
            let Ok(record) = container.record() else { continue };
            let uses = volumes::volumes(&record.mount_points).any(|used| used == name);
            if uses && container.state()?.status.is_running() {
                return Ok(());
            }
        }
        match umount2(&place, MntFlags::UMOUNT_NOFOLLOW) {
            // Held open by one that is just starting: it will come by here, too.
            Err(nix::errno::Errno::EBUSY) => Ok(()),
            done => done.map_err(|errno| trouble(errno.into())),
        }
    }
}

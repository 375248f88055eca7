//! The mounts of a container: Docker's own, the three files of its network identity, and the user's.

use crate::api::{HostConfig, TmpfsOptions};
use crate::container::record::{Container, Record};
use crate::spec::security::Security;
use crate::volume::at_start::{Shown, ShownMount};
use crate::{Error, Kind, Result};
use process::oci::Mount;
use std::path::Path;
use volumes::{Propagation, Source, in_order};

/// The files that are made anew for each start (see [`crate::spec::network_files`]), and where the container sees them.
pub(crate) const NETWORK_FILES: [(&str, &str); 3] =
    [("resolv.conf", "/etc/resolv.conf"), ("hostname", "/etc/hostname"), ("hosts", "/etc/hosts")];

/// All mounts, those above before those beneath. `shown` are the volumes, folders of the host and the like.
pub(crate) fn mounts(
    container: &Container,
    record: &Record,
    shown: &Shown,
    security: &Security,
    base: Vec<Mount>,
) -> Result<Vec<Mount>> {
    let host = &record.host_config;
    let mut own = Vec::new();
    for (target, options) in host.tmpfs.iter().flatten() {
        own.push(tmpfs(target.trim_end_matches('/'), options, shown)?);
    }
    for mount in &shown.mounts {
        own.push(users(mount, shown)?);
    }
    for (file, target) in NETWORK_FILES {
        // Something of the user's in its place is meant.
        if !own.iter().any(|mount| mount.destination() == Path::new(target)) {
            own.push(bind(&container.run.join(file), target, host.readonly_rootfs));
        }
    }
    let own = in_order(own, |mount| mount.destination().to_str().unwrap_or_default());

    let mut mounts = defaults(host, security, base, &own);
    mounts.extend(own);
    Ok(mounts)
}

/// Where the user wants something mounted.
pub(crate) fn targets<'a>(record: &'a Record, shown: &'a Shown) -> impl Iterator<Item = (&'a str, bool)> {
    let tmpfs = record.host_config.tmpfs.iter().flatten().map(|(target, _)| (target.trim_end_matches('/'), false));
    tmpfs.chain(shown.mounts.iter().map(|mount| (mount.point.destination.as_str(), mount.is_file())))
}

/// Docker's mounts, without those that the user's replace.
fn defaults(host: &HostConfig, security: &Security, base: Vec<Mount>, own: &[Mount]) -> Vec<Mount> {
    let replaced = |mount: &Mount| {
        let at = mount.destination();
        let dev = Path::new("/dev");
        own.iter().any(|own| own.destination() == at || (own.destination() == dev && at.starts_with(dev)))
    };
    let no_shm = |mount: &Mount| host.ipc_mode == "none" && mount.destination() == Path::new("/dev/shm");
    let writable_cgroups = security.writable_cgroups.unwrap_or(host.privileged);
    let adapt = |mut mount: Mount| {
        match mount.destination().to_str().unwrap_or_default() {
            "/dev/shm" => add_option(&mut mount, &format!("size={}", host.shm_size)),
            "/sys" if host.privileged => remove_option(&mut mount, "ro"),
            "/sys/fs/cgroup" if writable_cgroups => remove_option(&mut mount, "ro"),
            // With a read-only root what is mounted upon it is read-only, too; but for what no program can do without.
            "/proc" | "/dev" | "/dev/pts" | "/dev/mqueue" => {}
            _ if host.readonly_rootfs => add_option(&mut mount, "ro"),
            _ => {}
        }
        mount
    };
    base.into_iter().filter(|mount| !replaced(mount) && !no_shm(mount)).map(adapt).collect()
}

fn add_option(mount: &mut Mount, option: &str) {
    let mut options = mount.options().clone().unwrap_or_default();
    let key = option.split_once('=').map_or(option, |(key, _)| key);
    options.retain(|known| known.split_once('=').map_or(known.as_str(), |(key, _)| key) != key);
    options.push(option.to_owned());
    mount.set_options(Some(options));
}

fn remove_option(mount: &mut Mount, option: &str) {
    let mut options = mount.options().clone().unwrap_or_default();
    options.retain(|known| known != option);
    mount.set_options(Some(options));
}

fn mount(kind: &str, source: &Path, target: &str, options: Vec<String>) -> Mount {
    let mut mount = Mount::default();
    mount.set_typ(Some(kind.to_owned()));
    mount.set_source(Some(source.to_owned()));
    mount.set_destination(target.into());
    mount.set_options(Some(options));
    mount
}

fn bind(source: &Path, target: &str, read_only: bool) -> Mount {
    let mut options = vec!["rbind".to_owned(), "rprivate".to_owned()];
    if read_only {
        options.push("ro".to_owned());
    }
    mount("bind", source, target, options)
}

/// What the user has asked for with `-v` or `--mount`, or the image with `VOLUME`.
fn users(given: &ShownMount, shown: &Shown) -> Result<Mount> {
    let target = &given.point.destination;
    let (alone, writable_beneath, propagation) = match &given.point.source {
        Source::Tmpfs(options) => return tmpfs(target, &long_options(options, given.read_only), shown),
        Source::Bind(bind) => (bind.alone, bind.writable_beneath, bind.propagation),
        Source::Volume(_) => (false, false, Propagation::default()),
    };
    let mut options = vec![if alone { "bind" } else { "rbind" }, propagation.as_str()];
    if given.read_only {
        // Read-only with all that is mounted beneath: what one may not write here, one may not write there.
        options.push(if writable_beneath { "ro" } else { "rro" });
    }
    Ok(mount("bind", &given.path, target, options.into_iter().map(str::to_owned).collect()))
}

/// A new tmpfs. Where nothing is said of its mode, it has that of the folder which it hides, if the image has one.
fn tmpfs(target: &str, options: &str, shown: &Shown) -> Result<Mount> {
    let mut options = tmpfs_options(options)?;
    if let Some(mode) = shown.modes_in_image.get(target)
        && !options.iter().any(|option| option.starts_with("mode="))
    {
        options.push(format!("mode={mode:o}"));
    }
    Ok(mount("tmpfs", Path::new("tmpfs"), target, options))
}

/// The options of `--mount type=tmpfs` as `--tmpfs` spells them.
fn long_options(tmpfs: &TmpfsOptions, read_only: bool) -> String {
    let mut options = Vec::new();
    if read_only {
        options.push("ro".to_owned());
    }
    if tmpfs.mode != 0 {
        options.push(format!("mode={:o}", tmpfs.mode));
    }
    if tmpfs.size_bytes != 0 {
        options.push(format!("size={}", tmpfs.size_bytes));
    }
    options.extend(tmpfs.options.iter().flatten().flatten().cloned());
    options.join(",")
}

/// Pairs of flags of which the later one wins.
const FLAGS: [(&str, &str); 10] = [
    ("exec", "noexec"),
    ("suid", "nosuid"),
    ("dev", "nodev"),
    ("rw", "ro"),
    ("async", "sync"),
    ("atime", "noatime"),
    ("diratime", "nodiratime"),
    ("norelatime", "relatime"),
    ("nostrictatime", "strictatime"),
    ("nodirsync", "dirsync"),
];

/// What tmpfs(5) takes besides flags.
const VALUES: [&str; 7] = ["mode", "size", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

/// Docker's `noexec,nosuid,nodev`, as the user's options change them.
///
/// # Errors
/// [`Kind::Invalid`] for an option that tmpfs does not have.
pub(crate) fn tmpfs_options(given: &str) -> Result<Vec<String>> {
    let mut options: Vec<String> = ["noexec", "nosuid", "nodev", "rprivate"].map(Into::into).into();
    for option in given.split(',').filter(|option| !option.is_empty()) {
        let key = option.split_once('=').map(|(key, _)| key);
        let pair = FLAGS.iter().find(|(on, off)| *on == option || *off == option);
        match (key, pair, option) {
            (Some(key), ..) if VALUES.contains(&key) => {
                options.retain(|known| known.split_once('=').is_none_or(|(known, _)| known != key));
            }
            (None, Some((on, off)), _) => options.retain(|known| known != on && known != off),
            (None, None, "defaults") => continue,
            (None, None, "private" | "rprivate" | "slave" | "rslave" | "shared" | "rshared") => {
                options.retain(|known| known != "rprivate");
            }
            _ => return Err(Error::new(Kind::Invalid, format!("invalid tmpfs option [{option:?}]"))),
        }
        options.push(option.to_owned());
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmpfs_options_of_the_user_win() {
        let options = |given| tmpfs_options(given).map(|options| options.join(","));
        assert_eq!(options("").unwrap(), "noexec,nosuid,nodev,rprivate");
        assert_eq!(options("exec,size=64m,size=1m,ro").unwrap(), "nosuid,nodev,rprivate,exec,size=1m,ro");
        assert_eq!(options("colour=red").unwrap_err().message, "invalid tmpfs option [\"colour=red\"]");
        assert_eq!(options("quick").unwrap_err().message, "invalid tmpfs option [\"quick\"]");
    }
}

//! Devices: which nodes the container finds in /dev, and which the kernel lets it open.

use crate::api::{DeviceMapping, HostConfig};
use crate::{Error, Kind, Result};
use process::oci::{Linux, LinuxDevice, LinuxDeviceCgroup, LinuxDeviceType};
use rustix::fs::{major, minor};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Adds the user's devices and rules to Docker's; a privileged container gets all of the host's.
pub(crate) fn add(linux: &mut Linux, host: &HostConfig) -> Result<()> {
    let mut devices = linux.devices().clone().unwrap_or_default();
    let mut resources = linux.resources().clone().unwrap_or_default();
    let mut rules = process::device_rules::default_rules();
    if host.privileged {
        devices.extend(beneath(Path::new("/dev"), Path::new("/dev")));
        rules = vec![rule(None, None, None, "rwm")];
    } else {
        for device_rule in host.device_cgroup_rules.iter().flatten() {
            rules.push(parse_rule(device_rule)?);
        }
    }
    for mapping in host.devices.iter().flatten() {
        let added = mapped(mapping)?;
        if !host.privileged {
            rules.extend(added.iter().map(|device| rule_for(device, &mapping.cgroup_permissions)));
        }
        devices.retain(|known| added.iter().all(|device| device.path() != known.path()));
        devices.extend(added);
    }
    resources.set_devices(Some(rules));
    linux.set_resources(Some(resources));
    linux.set_devices(Some(devices).filter(|devices| !devices.is_empty()));
    Ok(())
}

/// `--device`: one node, or all nodes beneath a folder.
fn mapped(mapping: &DeviceMapping) -> Result<Vec<LinuxDevice>> {
    let on_host = Path::new(&mapping.path_on_host);
    let inside = Path::new(if mapping.path_in_container.is_empty() {
        &mapping.path_on_host
    } else {
        &mapping.path_in_container
    });
    let refused = |reason: String| {
        let path = on_host.display();
        Error::new(
            Kind::System,
            format!("error gathering device information while adding custom device \"{path}\": {reason}"),
        )
    };
    let real = fs::canonicalize(on_host).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => refused("no such file or directory".to_owned()),
        _ => refused(e.to_string()),
    })?;
    let devices = if real.is_dir() { beneath(&real, inside) } else { device(&real, inside).into_iter().collect() };
    if devices.is_empty() {
        return Err(refused("not a device node".to_owned()));
    }
    Ok(devices)
}

/// The node at `path`, as it will be at `inside`; None if it is no device.
fn device(path: &Path, inside: &Path) -> Option<LinuxDevice> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let kind = match metadata.file_type() {
        kind if kind.is_char_device() => LinuxDeviceType::C,
        kind if kind.is_block_device() => LinuxDeviceType::B,
        _ => return None,
    };
    let mut device = LinuxDevice::default();
    device.set_path(inside.to_owned());
    device.set_typ(kind);
    device.set_major(major(metadata.rdev()).into());
    device.set_minor(minor(metadata.rdev()).into());
    device.set_file_mode(Some(metadata.mode() & 0o7777));
    device.set_uid(Some(metadata.uid()));
    device.set_gid(Some(metadata.gid()));
    Some(device)
}

/// All device nodes beneath a folder; of /dev without the parts that every container has of its own.
fn beneath(folder: &Path, inside: &Path) -> Vec<LinuxDevice> {
    const OWN: [&str; 9] = ["pts", "shm", "fd", "mqueue", "console", "ptmx", "core", ".lxc", ".udev"];
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.file_name().into()).collect();
    names.sort();
    let mut devices = Vec::new();
    for name in names
        .iter()
        .filter(|name| folder != Path::new("/dev") || !OWN.iter().any(|own| name.as_path() == Path::new(own)))
    {
        let (path, inside) = (folder.join(name), inside.join(name));
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => devices.extend(beneath(&path, &inside)),
            _ => devices.extend(device(&path, &inside)),
        }
    }
    devices
}

fn rule(kind: Option<LinuxDeviceType>, major: Option<i64>, minor: Option<i64>, access: &str) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(true);
    rule.set_typ(kind);
    rule.set_major(major);
    rule.set_minor(minor);
    rule.set_access(Some(access.to_owned()));
    rule
}

fn rule_for(device: &LinuxDevice, access: &str) -> LinuxDeviceCgroup {
    let access = if access.is_empty() { "rwm" } else { access };
    rule(Some(device.typ()), Some(device.major()), Some(device.minor()), access)
}

/// `--device-cgroup-rule 'c 1:3 mr'`; `*` is any number.
pub(crate) fn parse_rule(text: &str) -> Result<LinuxDeviceCgroup> {
    let parse = || {
        let mut parts = text.split(' ');
        let (kind, numbers, access) = (parts.next()?, parts.next()?, parts.next()?);
        let (major, minor) = numbers.split_once(':')?;
        let kind = match kind {
            "a" => LinuxDeviceType::A,
            "b" => LinuxDeviceType::B,
            "c" => LinuxDeviceType::C,
            _ => return None,
        };
        let number =
            |text: &str| if text == "*" { Some(None) } else { text.parse::<u32>().ok().map(|n| Some(n.into())) };
        let good_access = (1..=3).contains(&access.len()) && access.bytes().all(|b| b"rwm".contains(&b));
        let complete = good_access && parts.next().is_none();
        complete.then_some(rule(Some(kind), number(major)?, number(minor)?, access))
    };
    parse().ok_or_else(|| Error::new(Kind::Invalid, format!("invalid device cgroup rule format: '{text}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_docker_reads_them() {
        let rule = parse_rule("c 1:* mr").unwrap();
        assert_eq!((rule.typ(), rule.major(), rule.minor()), (Some(LinuxDeviceType::C), Some(1), None));
        for wrong in ["", "d 1:3 r", "c 1 r", "c 1:3", "c 1:3 x", "c 1:3 rwmr", "c -1:3 r", "c 1:3 r w"] {
            assert_eq!(parse_rule(wrong).unwrap_err().message, format!("invalid device cgroup rule format: '{wrong}'"));
        }
    }

    #[test]
    fn every_container_has_rules_and_what_is_asked_comes_on_top() {
        let rules = |host: &HostConfig| {
            let mut linux = Linux::default();
            add(&mut linux, host).unwrap();
            linux.resources().as_ref().unwrap().devices().clone().unwrap()
        };
        let usual = rules(&HostConfig::default());
        assert!(!usual[0].allow() && usual[0].major().is_none(), "everything is forbidden first");
        let mapping = DeviceMapping { path_on_host: "/dev/null".into(), ..Default::default() };
        let asked = rules(&HostConfig { devices: Some(vec![mapping]), ..Default::default() });
        assert_eq!(asked[..usual.len()], usual[..]);
        assert_eq!((asked[usual.len()].major(), asked[usual.len()].minor()), (Some(1), Some(3)));
        let privileged = rules(&HostConfig { privileged: true, ..Default::default() });
        assert!(privileged.len() == 1 && privileged[0].allow());
    }

    #[test]
    fn a_device_is_found_through_links_and_its_absence_is_told_in_dockers_words() {
        let map = |path: &str| DeviceMapping {
            path_on_host: path.into(),
            path_in_container: "/dev/x".into(),
            ..Default::default()
        };
        let devices = mapped(&map("/dev/null")).unwrap();
        assert_eq!((devices[0].major(), devices[0].minor(), devices[0].path().to_str()), (1, 3, Some("/dev/x")));
        let missing =
            "error gathering device information while adding custom device \"/dev/none\": no such file or directory";
        assert_eq!(mapped(&map("/dev/none")).unwrap_err().message, missing);
        assert!(mapped(&map("/etc/passwd")).unwrap_err().message.ends_with("not a device node"));
    }
}

//! What is mounted in a container.

use super::Wanted;
use super::files::{Given, given};
use crate::error::{Error, Result};
use crate::model::{Bind, Mount};
use engine::api::{BindOptions, MountRequest, TmpfsOptions, VolumeOptions};

/// The first version of the API whose mounts make a folder of the host that is missing.
const CREATE_MOUNTPOINT: (u32, u32) = (1, 42);

/// The mounts as the engine takes them: `SOURCE:TARGET:OPTIONS` where that says it all, which makes a folder of the host that
/// is missing, and the long form where not.
pub(super) fn mounts(wanted: &Wanted<'_>) -> Result<(Vec<String>, Vec<MountRequest>)> {
    let service = wanted.service;
    let (mut binds, mut mounts) = (Vec::new(), inherited(wanted));
    for mount in &service.volumes {
        if mount.source.is_empty() && mounts.iter().any(|inherited| inherited.target == mount.target) {
            continue;
        }
        mounts.retain(|inherited| inherited.target != mount.target);
        match short(wanted, mount) {
            Some(text) => binds.push(text),
            None => mounts.push(long(wanted, mount)?),
        }
    }
    for Given { kind, object, target, grant } in given(wanted.model, service)? {
        let is_taken = service.volumes.iter().any(|mount| mount.target == target);
        if object.file.is_empty() || is_taken {
            continue;
        }
        if !grant.uid.is_empty() || !grant.gid.is_empty() || grant.mode.is_some() {
            tracing::warn!("{kind}s `uid`, `gid` and `mode` are not supported, they will be ignored");
        }
        if !std::path::Path::new(&object.file).exists() {
            tracing::warn!("{kind} file {} does not exist", object.name);
        }
        mounts.retain(|inherited| inherited.target != target);
        mounts.push(MountRequest {
            r#type: "bind".to_owned(),
            source: object.file.clone(),
            target,
            read_only: true,
            bind_options: Some(BindOptions::default()),
            ..MountRequest::default()
        });
    }
    Ok((binds, mounts))
}

/// The volumes without a name of the container in whose place this one is made: those of the image, and those of the file.
fn inherited(wanted: &Wanted<'_>) -> Vec<MountRequest> {
    let lives_on = |target: &String| {
        let of_file = |mount: &Mount| mount.target == *target && mount.source.is_empty() && mount.r#type == "volume";
        wanted.image.volumes.contains(target) || wanted.service.volumes.iter().any(of_file)
    };
    let old = wanted.inherit.iter().filter(|mount| mount.r#type != "tmpfs" && lives_on(&mount.destination));
    old.map(|mount| MountRequest {
        r#type: mount.r#type.clone(),
        source: if mount.r#type == "volume" { &mount.name } else { &mount.source }.clone(),
        target: mount.destination.clone(),
        read_only: !mount.rw,
        ..MountRequest::default()
    })
    .collect()
}

/// The short form, if it says all that is meant.
fn short(wanted: &Wanted<'_>, mount: &Mount) -> Option<String> {
    let source = match mount.r#type.as_str() {
        "bind" => {
            let needs_long = |bind: &Bind| {
                !bind.create_host_path
                    || !bind.recursive.is_empty()
                    || !bind.propagation.is_empty() && wanted.api >= CREATE_MOUNTPOINT
            };
            if mount.bind.as_ref().is_some_and(needs_long) {
                return None;
            }
            &mount.source
        }
        "volume" => {
            let of = mount.volume.as_ref();
            if of.is_some_and(|of| of.nocopy || !of.labels.is_empty() || !of.subpath.is_empty()) {
                return None;
            }
            &wanted.model.volumes.get(&mount.source)?.name
        }
        _ => return None,
    };
    // Between colons, a path with one would be two.
    if source.contains(':') || mount.target.contains(':') {
        return None;
    }
    let mut options = vec![if mount.read_only { "ro" } else { "rw" }];
    if let Some(bind) = &mount.bind {
        options.extend([bind.selinux.as_str(), bind.propagation.as_str()].into_iter().filter(|text| !text.is_empty()));
    }
    Some(format!("{source}:{}:{}", mount.target, options.join(",")))
}

fn long(wanted: &Wanted<'_>, mount: &Mount) -> Result<MountRequest> {
    let source = match (mount.r#type.as_str(), mount.source.as_str()) {
        ("volume", "") => "",
        ("volume", key) => {
            let undefined =
                || Error::Failed(format!("service {:?} refers to undefined volume {key}", wanted.service.name));
            &wanted.model.volumes.get(key).ok_or_else(undefined)?.name
        }
        (_, source) => source,
    };
    let is = |kind: &str| mount.r#type == kind;
    Ok(MountRequest {
        r#type: mount.r#type.clone(),
        source: source.to_owned(),
        target: mount.target.clone(),
        read_only: mount.read_only,
        consistency: mount.consistency.clone(),
        bind_options: mount.bind.as_ref().filter(|_| is("bind")).map(bind_options),
        volume_options: mount.volume.as_ref().filter(|_| is("volume")).map(|volume| VolumeOptions {
            no_copy: volume.nocopy,
            subpath: volume.subpath.clone(),
            labels: super::some_map(volume.labels.clone()),
            driver_config: None,
        }),
        tmpfs_options: mount.tmpfs.as_ref().filter(|_| is("tmpfs")).map(|tmpfs| TmpfsOptions {
            size_bytes: tmpfs.size.0,
            mode: tmpfs.mode,
            options: None,
        }),
    })
}

fn bind_options(bind: &Bind) -> BindOptions {
    BindOptions {
        propagation: bind.propagation.clone(),
        create_mountpoint: bind.create_host_path,
        non_recursive: bind.recursive == "disabled",
        read_only_non_recursive: bind.recursive == "writable",
        read_only_force_recursive: bind.recursive == "readonly",
    }
}

/// The containers whose mounts it has, too.
pub(super) fn volumes_from(wanted: &Wanted<'_>) -> Result<Vec<String>> {
    let one = |text: &String| {
        if let Some(container) = text.strip_prefix("container:") {
            return Ok(container.to_owned());
        }
        let (service, mode) = text.split_once(':').map_or((text.as_str(), ""), |(service, mode)| (service, mode));
        let container = wanted.others.get(service).and_then(|containers| containers.first());
        let missing = || Error::Failed(format!("cannot share volume with service {service}: container missing"));
        let container = container.ok_or_else(missing)?;
        Ok(if mode.is_empty() { container.clone() } else { format!("{container}:{mode}") })
    };
    wanted.service.volumes_from.iter().map(one).collect()
}

//! From what was asked for to a [`MountPoint`]: the rules that every mount must keep, whoever asked and how.

use crate::error::Fault;
use crate::mount_point::{Bind, MountPoint, NewVolume, Propagation, Source, VolumeUse, clean};
use crate::request::{BindOptions, MountRequest, TmpfsOptions, VolumeOptions};
use crate::{Error, Result};
use std::path::{Component, Path};

impl MountRequest {
    /// The mount that is meant. Nothing of the host is looked at.
    ///
    /// # Errors
    /// [`Error::Mount`] with the rule that is broken, or [`Error::Conflict`].
    pub fn point(&self) -> Result<MountPoint> {
        let source = self.understood().map_err(|fault| Error::Mount { kind: self.r#type.clone(), fault })?;
        if let Some(bind) = &self.bind_options {
            conflicts(self.read_only, bind)?;
        }
        let mode = match &source {
            // Docker's, which relabels the files of a volume for SELinux.
            Source::Volume(_) => "z".to_owned(),
            Source::Bind(_) | Source::Tmpfs(_) => String::new(),
        };
        Ok(MountPoint { destination: clean(&self.target), source, read_only: self.read_only, mode })
    }

    fn understood(&self) -> Result<Source, Fault> {
        let only = |kind: &str, given: bool, field| {
            if given && self.r#type != kind { Err(Fault::Extra(field)) } else { Ok(()) }
        };
        only("bind", self.bind_options.is_some(), "BindOptions")?;
        only("volume", self.volume_options.is_some(), "VolumeOptions")?;
        only("tmpfs", self.tmpfs_options.is_some(), "TmpfsOptions")?;
        target(&self.target)?;
        match self.r#type.as_str() {
            "bind" => self.bind().map(Source::Bind),
            "volume" => self.volume().map(Source::Volume),
            "tmpfs" => self.tmpfs().map(Source::Tmpfs),
            _ => Err(Fault::Kind),
        }
    }

    fn bind(&self) -> Result<Bind, Fault> {
        if self.source.is_empty() {
            return Err(Fault::Missing("Source"));
        }
        let options = self.bind_options.clone().unwrap_or_default();
        let propagation = match options.propagation.as_str() {
            "" => Propagation::default(),
            word => Propagation::parse(word).ok_or_else(|| Fault::Propagation(word.to_owned()))?,
        };
        absolute(&self.source)?;
        Ok(Bind {
            path: clean(&self.source),
            propagation,
            alone: options.non_recursive,
            writable_beneath: options.read_only_non_recursive,
            create: options.create_mountpoint,
        })
    }

    fn volume(&self) -> Result<VolumeUse, Fault> {
        let VolumeOptions { no_copy, labels, subpath, driver_config } = self.volume_options.clone().unwrap_or_default();
        let anonymous = self.source.is_empty();
        if !subpath.is_empty() {
            if anonymous {
                return Err(Fault::AnonymousSubpath);
            }
            stays_within(&subpath)?;
        }
        let driver = driver_config.unwrap_or_default();
        let options = driver.options.unwrap_or_default();
        let new = NewVolume { driver: driver.name, options, labels, passing: false };
        Ok(VolumeUse { name: self.source.clone(), anonymous, copy: !no_copy, subpath, new })
    }

    fn tmpfs(&self) -> Result<TmpfsOptions, Fault> {
        if !self.source.is_empty() {
            return Err(Fault::Extra("Source"));
        }
        let options = self.tmpfs_options.clone().unwrap_or_default();
        for option in options.options.iter().flatten() {
            match option.as_slice() {
                [word] if word == "exec" || word == "noexec" => {}
                other => return Err(Fault::TmpfsOption(other.join("="))),
            }
        }
        Ok(options)
    }
}

/// A place in a container: a whole path, and not the root itself.
pub(crate) fn target(path: &str) -> Result<(), Fault> {
    if path.is_empty() {
        return Err(Fault::Missing("Target"));
    }
    if path.starts_with('/') && clean(path) == "/" {
        return Err(Fault::Root);
    }
    absolute(path)
}

fn absolute(path: &str) -> Result<(), Fault> {
    if path.starts_with('/') { Ok(()) } else { Err(Fault::Relative(path.to_owned())) }
}

/// As text. What is a link in the volume will be seen when it is opened: [`crate::subpath`].
fn stays_within(subpath: &str) -> Result<(), Fault> {
    let mut depth = 0_i32;
    for part in Path::new(subpath).components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(Fault::Subpath),
        }
        if depth < 0 {
            return Err(Fault::Subpath);
        }
    }
    Ok(())
}

fn conflicts(read_only: bool, bind: &BindOptions) -> Result<()> {
    match (bind.read_only_non_recursive, bind.read_only_force_recursive) {
        (true, _) if !read_only => Err(Error::Conflict("!ReadOnly && BindOptions.ReadOnlyNonRecursive")),
        (_, true) if !read_only => Err(Error::Conflict("!ReadOnly && BindOptions.ReadOnlyForceRecursive")),
        (true, true) => Err(Error::Conflict("ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive")),
        _ => Ok(()),
    }
}

impl MountPoint {
    /// As `-v` has it: a source that is missing is made.
    pub(crate) fn with_source_made(mut self) -> Self {
        if let Source::Bind(bind) = &mut self.source {
            bind.create = true;
        }
        self
    }

    /// Whether there is something to bind, or somebody will make it.
    ///
    /// # Errors
    /// [`Fault::NoSource`], as `--mount` has it.
    pub fn check_source(&self) -> Result<()> {
        let Source::Bind(bind) = &self.source else { return Ok(()) };
        let wrong = |fault| Err(Error::Mount { kind: "bind".to_owned(), fault });
        match std::fs::metadata(&bind.path) {
            Err(_) if !bind.create => wrong(Fault::NoSource(bind.path.clone())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refusal(request: Value) -> String {
        let request: MountRequest = serde_json::from_value(request).unwrap();
        let why = request.point().map_or_else(|error| error.to_string(), |point| format!("accepted: {point:?}"));
        why.trim_start_matches("invalid mount config for type ").to_owned()
    }

    #[test]
    fn rules_are_told_in_dockers_words() {
        let broken = [
            json!({"Type": "bind", "Target": "/x"}),
            json!({"Type": "bind", "Source": "a", "Target": "/x"}),
            json!({"Type": "bind", "Source": "/a", "Target": "/x", "BindOptions": {"Propagation": "foo"}}),
            json!({"Type": "bind", "Source": "/a", "Target": "/x", "VolumeOptions": {"NoCopy": true}}),
            json!({"Type": "bind", "Source": "/a", "Target": "/x", "BindOptions": {"ReadOnlyNonRecursive": true}}),
            json!({"Type": "bind", "Source": "/a", "Target": "/x", "BindOptions": {"ReadOnlyForceRecursive": true}}),
            json!({"Type": "bind", "Source": "/a", "Target": "/x", "ReadOnly": true,
                "BindOptions": {"ReadOnlyForceRecursive": true, "ReadOnlyNonRecursive": true}}),
            json!({"Type": "volume", "Source": "v"}),
            json!({"Type": "volume", "Source": "v", "Target": "x"}),
            json!({"Type": "volume", "Source": "v", "Target": "/x/.."}),
            json!({"Type": "volume", "Target": "/x", "VolumeOptions": {"Subpath": "a"}}),
            json!({"Type": "volume", "Source": "v", "Target": "/x", "VolumeOptions": {"Subpath": "/a"}}),
            json!({"Type": "volume", "Source": "v", "Target": "/x", "VolumeOptions": {"Subpath": "a/../../b"}}),
            json!({"Type": "tmpfs", "Source": "v", "Target": "/x"}),
            json!({"Type": "tmpfs", "Target": "/x", "BindOptions": {}}),
            json!({"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"Options": [["uid", "1"]]}}),
            json!({"Type": "npipe", "Source": "v", "Target": "/x"}),
            json!({"Target": "/x"}),
        ];
        insta::assert_snapshot!(broken.map(refusal).join("\n"), @r#"
        "bind": field Source must not be empty
        "bind": invalid mount path: 'a' mount path must be absolute
        "bind": invalid propagation mode: foo
        "bind": field VolumeOptions must not be specified
        mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive
        mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive
        mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive
        "volume": field Target must not be empty
        "volume": invalid mount path: 'x' mount path must be absolute
        "volume": invalid specification: destination can't be '/'
        "volume": must not set Subpath when using anonymous volumes
        "volume": subpath must be a relative path within the volume
        "volume": subpath must be a relative path within the volume
        "tmpfs": field Source must not be specified
        "tmpfs": field BindOptions must not be specified
        "tmpfs": invalid option: uid=1
        "npipe": mount type unknown
        "": mount type unknown
        "#);
    }

    #[test]
    fn a_source_must_be_there_unless_it_is_made() {
        let bind = |create| MountPoint {
            destination: "/x".into(),
            source: Source::Bind(Bind { path: "/no/such/folder".into(), create, ..Bind::default() }),
            read_only: false,
            mode: String::new(),
        };
        assert!(bind(true).check_source().is_ok());
        let why = "invalid mount config for type \"bind\": bind source path does not exist: /no/such/folder";
        assert_eq!(bind(false).check_source().unwrap_err().to_string(), why);
    }

    #[test]
    fn a_part_of_a_volume_may_go_up_within_it() {
        assert_eq!(stays_within("a/../b/./c"), Ok(()));
        assert_eq!(stays_within("."), Ok(()));
    }
}

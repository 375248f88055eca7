//! From the flags to what the engine is asked for; the context comes later.

use super::flags::Flags;
use super::{output, secret};
use crate::flags::{environment, reference};
use anyhow::{Result, anyhow, bail};
use engine::api::BuildOptions;
use registry::credentials::File;
use std::collections::BTreeMap;

/// A time that all files of an image have, in seconds since 1970 (reproducible-builds.org, "SOURCE_DATE_EPOCH").
pub(in crate::command) const EPOCH: &str = "SOURCE_DATE_EPOCH";

impl Flags {
    /// What is asked for, as far as the flags tell.
    pub(super) fn options(&self) -> Result<BuildOptions> {
        for tag in &self.tag {
            reference::check(tag).map_err(|error| anyhow!("invalid tag {tag:?}: {error}"))?;
        }
        let mut build_args: BTreeMap<_, _> = self.build_arg.iter().map(|text| argument(text)).collect();
        // Where the caller has one, it holds for what is built too.
        if let Ok(epoch) = std::env::var(EPOCH) {
            build_args.entry(EPOCH.to_owned()).or_insert(Some(epoch));
        }
        let outputs: Vec<_> = self.output.iter().map(|text| output::parse(text)).collect::<Result<_>>()?;
        if self.load && outputs.iter().any(|output| output.kind != "docker") {
            bail!("load and {:?} output can't be used together", outputs[0].kind);
        }
        Ok(BuildOptions {
            tags: self.tag.clone(),
            source_date_epoch: epoch(&build_args)?,
            build_args,
            target: self.target.clone(),
            labels: environment::labels(&[], &self.label)?.into_iter().collect(),
            registries: File::of_user().map(|file| file.all()).unwrap_or_default(),
            pull: self.pull,
            no_cache: self.no_cache,
            no_cache_filter: self.no_cache_filter.clone(),
            network: self.network.clone(),
            add_hosts: self.add_host.iter().map(|text| host(text)).collect::<Result<_>>()?,
            platform: self.platform()?,
            contexts: self.build_context.iter().map(|text| context(text)).collect::<Result<_>>()?,
            secrets: self.secret.iter().map(|text| secret::secret(text)).collect::<Result<_>>()?,
            ssh: self.ssh.iter().map(|text| secret::ssh(text)).collect::<Result<_>>()?,
            outputs,
            check: self.is_check()?,
            verify: self.verify,
            explain: self.explain,
            keep_failed: self.debug_shell,
            ..BuildOptions::default()
        })
    }

    /// Whether nothing is built.
    pub(super) fn is_check(&self) -> Result<bool> {
        match self.call.as_str() {
            "check" | "lint" => Ok(true),
            "build" | "" => Ok(self.check),
            other => bail!("--call {other}: not supported; known are \"build\" and \"check\""),
        }
    }

    fn platform(&self) -> Result<String> {
        match self.platform.as_slice() {
            [] => Ok(std::env::var("DOCKER_DEFAULT_PLATFORM").unwrap_or_default()),
            [platform] => Ok(platform.clone()),
            _ => bail!("--platform: several platforms in one image are not supported: build them one by one"),
        }
    }
}

/// `NAME=value`; a bare name takes our own value, if we have one.
fn argument(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), std::env::var(text).ok()),
    }
}

pub(in crate::command) fn epoch(build_args: &BTreeMap<String, Option<String>>) -> Result<Option<u64>> {
    match build_args.get(EPOCH).and_then(Option::as_deref) {
        None | Some("") => Ok(None),
        Some(text) => Ok(Some(text.parse().map_err(|_| anyhow!("invalid {EPOCH}: {text}"))?)),
    }
}

/// `name:address` or `name=address`; an address may be in brackets.
pub(in crate::command) fn host(text: &str) -> Result<String> {
    let (name, address) = text
        .split_once('=')
        .or_else(|| text.split_once(':'))
        .filter(|(name, address)| !name.is_empty() && !address.is_empty())
        .ok_or_else(|| anyhow!("bad format for add-host: {text:?}"))?;
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    if address != "host-gateway" && address.parse::<std::net::IpAddr>().is_err() {
        bail!("invalid IP address in add-host: {address:?}");
    }
    Ok(format!("{name}:{address}"))
}

/// `NAME=folder`, `NAME=docker-image://…`, `NAME=https://…`.
pub(in crate::command) fn context(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, place)) if !name.is_empty() && !place.is_empty() => {
            if place.contains("://") {
                return Ok((name.to_lowercase(), place.to_owned()));
            }
            let found = std::fs::canonicalize(place).ok().filter(|path| path.is_dir());
            let folder =
                found.ok_or_else(|| anyhow!("failed to get build context path {name}: {place} is no folder"))?;
            Ok((name.to_lowercase(), folder.to_string_lossy().into_owned()))
        }
        _ => bail!("invalid context value: {text}, expected key=value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        assert_eq!(host("a:1.2.3.4").unwrap(), "a:1.2.3.4");
        assert_eq!(host("a=::1").unwrap(), "a:::1");
        assert_eq!(host("a:[::1]").unwrap(), "a:::1");
        assert_eq!(host("a:host-gateway").unwrap(), "a:host-gateway");
        assert_eq!(host("a").unwrap_err().to_string(), "bad format for add-host: \"a\"");
        assert_eq!(host("a:b").unwrap_err().to_string(), "invalid IP address in add-host: \"b\"");
    }

    #[test]
    fn named_contexts() {
        assert_eq!(context("Base=docker-image://box").unwrap(), ("base".into(), "docker-image://box".into()));
        assert_eq!(context("etc=/etc/.").unwrap(), ("etc".into(), "/etc".into()));
        assert!(context("x").is_err() && context("x=/nope").is_err());
    }

    #[test]
    fn a_time_is_a_number() {
        let of = |value: &str| epoch(&[(EPOCH.to_owned(), Some(value.to_owned()))].into());
        assert_eq!(of("12").unwrap(), Some(12));
        assert_eq!(of("").unwrap(), None);
        assert_eq!(of("now").unwrap_err().to_string(), "invalid SOURCE_DATE_EPOCH: now");
    }
}

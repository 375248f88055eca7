//! What was asked for, read and checked before anything is done.

use crate::api::BuildOptions;
use crate::{Error, Kind, Result};
use build::dockerfile::Parsed;
use build::expand::{Args, args};
use build::instruction::Network;
use build::stage::Settings;
use layers::manifest::Platform;
use layers::store::FIXED_TIME;
use layers::{Digest, Reference};
use std::collections::BTreeMap;
use std::fs;

/// Where the kernel keeps which programs it runs through others (binfmt_misc).
const EMULATORS: &str = "/proc/sys/fs/binfmt_misc";

/// The names for the image.
pub(super) fn names(options: &BuildOptions) -> Result<Vec<Reference>> {
    let mut names = Vec::new();
    for tag in &options.tags {
        let name = Reference::parse(tag)?.or_latest();
        if name.digest().is_some() {
            let why = "refusing to create a tag with a digest reference";
            return Err(Error::new(Kind::Invalid, format!("invalid argument {tag:?} for \"-t, --tag\" flag: {why}")));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The build arguments that have a value.
pub(super) fn given(options: &BuildOptions) -> BTreeMap<String, String> {
    options.build_args.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
}

/// What every stage has to know. `blame` makes an error of what is wrong in the Dockerfile.
pub(super) fn settings(
    options: &BuildOptions,
    given: &BTreeMap<String, String>,
    parsed: &Parsed,
    target: &Platform,
    blame: impl FnOnce(build::Error) -> Error,
) -> Result<Settings> {
    let automatic = args::automatic(&Platform::host(), target, &options.target);
    Ok(Settings {
        time: time(options, given)?,
        args: Args::new(parsed, given, automatic).map_err(blame)?,
        no_cache: options.no_cache || options.verify,
        no_cache_filter: options.no_cache_filter.iter().map(|name| name.to_lowercase()).collect(),
        network: network(&options.network)?,
        add_hosts: options.add_hosts.clone(),
        explain: options.explain,
        project: project(options),
        escape: parsed.directives.escape,
    })
}

/// The time of all that is written: a fixed one, unless somebody says otherwise.
fn time(options: &BuildOptions, given: &BTreeMap<String, String>) -> Result<i64> {
    const NAME: &str = "SOURCE_DATE_EPOCH";
    let seconds = match given.get(NAME).filter(|text| !text.is_empty()) {
        Some(text) => {
            let bad =
                |_| Error::new(Kind::Invalid, format!("invalid {NAME}: {text:?} is no number of seconds since 1970"));
            Some(text.parse::<u64>().map_err(bad)?)
        }
        None => options.source_date_epoch,
    };
    // Recipes write years with four digits.
    let fits = |seconds: &i64| layers::image::time(*seconds).is_some();
    match seconds {
        None => Ok(FIXED_TIME),
        Some(seconds) => i64::try_from(seconds)
            .ok()
            .filter(fits)
            .ok_or_else(|| Error::new(Kind::Invalid, format!("invalid {NAME}: {seconds} is after the year 9999"))),
    }
}

fn network(mode: &str) -> Result<Network> {
    match mode {
        "" | "default" | "bridge" => Ok(Network::Default),
        "none" => Ok(Network::None),
        "host" => Ok(Network::Host),
        other => Err(Error::new(Kind::Invalid, format!("network mode {other:?} not supported by buildkit"))),
    }
}

/// Tells the builds of one project from those of others, so that `--explain` compares with the right ones.
fn project(options: &BuildOptions) -> String {
    let context = match (&options.context_folder, &options.context_url) {
        (Some(folder), _) => folder.display().to_string(),
        (None, Some(url)) => url.clone(),
        (None, None) => options.tags.first().cloned().unwrap_or_default(),
    };
    Digest::of(format!("{context}\n{}", options.dockerfile).as_bytes()).short()
}

/// The platform of the image: this host's, or one whose programs it runs through an emulator.
pub(super) fn platform(text: &str) -> Result<Platform> {
    let host = Platform::host();
    if text.is_empty() {
        return Ok(host);
    }
    if text.contains(',') {
        return Err(Error::new(
            Kind::NotImplemented,
            "an image for several platforms is not supported: build them one by one",
        ));
    }
    let asked = Platform::parse(text)?;
    can_run(&asked)?;
    Ok(asked)
}

/// Whether this host runs programs of a platform.
pub(super) fn can_run(asked: &Platform) -> Result<()> {
    let host = Platform::host();
    let same = (&asked.os, &asked.architecture) == (&host.os, &host.architecture);
    if same || (asked.os == "linux" && has_emulator(&asked.architecture)) {
        return Ok(());
    }
    let why = format!("platform {asked} is not supported: this host is {host}, and has no emulator in {EMULATORS}");
    Err(Error::new(Kind::NotImplemented, why))
}

/// Whether the kernel runs programs of this architecture, by the names that QEMU's packages register.
fn has_emulator(architecture: &str) -> bool {
    let names: &[&str] = match architecture {
        "amd64" => &["qemu-x86_64"],
        "arm64" => &["qemu-aarch64"],
        "386" => &["qemu-i386"],
        "arm" => &["qemu-arm"],
        "ppc64le" => &["qemu-ppc64le"],
        "riscv64" => &["qemu-riscv64"],
        "s390x" => &["qemu-s390x"],
        _ => &[],
    };
    let enabled =
        |name: &&str| fs::read_to_string(format!("{EMULATORS}/{name}")).is_ok_and(|text| text.starts_with("enabled"));
    names.iter().any(enabled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use build::dockerfile;

    fn read(options: &BuildOptions) -> Result<Settings> {
        let parsed = dockerfile::parse("Dockerfile", b"FROM scratch\n").unwrap();
        settings(options, &given(options), &parsed, &Platform::host(), Error::from)
    }

    fn with_arg(name: &str, value: &str) -> BuildOptions {
        let build_args = [(name.to_owned(), Some(value.to_owned()))].into();
        BuildOptions { build_args, source_date_epoch: Some(7), ..BuildOptions::default() }
    }

    #[test]
    fn the_time_is_fixed_unless_somebody_says_otherwise() {
        assert_eq!(read(&BuildOptions::default()).unwrap().time, FIXED_TIME);
        assert_eq!(read(&with_arg("A", "1")).unwrap().time, 7);
        assert_eq!(read(&with_arg("SOURCE_DATE_EPOCH", "1234")).unwrap().time, 1234);
        for bad in ["yesterday", "-1", "999999999999999"] {
            assert_eq!(read(&with_arg("SOURCE_DATE_EPOCH", bad)).unwrap_err().kind, Kind::Invalid, "{bad}");
        }
    }

    #[test]
    fn names_are_tags_each_once() {
        let tags = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            names(&BuildOptions { tags, ..BuildOptions::default() })
        };
        assert_eq!(tags(&["a", "a:latest", "b:1"]).unwrap().len(), 2);
        assert_eq!(tags(&["A"]).unwrap_err().kind, Kind::Invalid);
        assert!(tags(&[&format!("a@sha256:{}", "0".repeat(64))]).is_err());
    }

    #[test]
    fn another_platform_needs_an_emulator() {
        assert_eq!(platform("").unwrap(), Platform::host());
        assert_eq!(platform("windows/amd64").unwrap_err().kind, Kind::NotImplemented);
        assert_eq!(platform("linux/amd64,linux/arm64").unwrap_err().kind, Kind::NotImplemented);
        assert_eq!(platform("a b").unwrap_err().kind, Kind::Invalid);
        assert!(platform("linux/nothing").unwrap_err().message.contains("emulator"));
    }
}

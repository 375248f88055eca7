//! `--security-opt seccomp=FILE`: a profile in Docker's own format.
//!
//! It is the OCI description with conditions: each entry may say for which capabilities, architectures and kernels it
//! is meant. They are settled here, against the container at hand, and what is left is plain OCI.

use std::str::FromStr;

use serde::Deserialize;

use super::{Flag, architectures, condition};
use crate::{Error, oci};
use oci::{Capabilities, LinuxSeccompOperator as Operator};

/// What Go calls this architecture, as profiles do.
const GOARCH: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: Option<String>,
    default_errno_ret: Option<u32>,
    architectures: Option<Vec<String>>,
    arch_map: Option<Vec<ArchitectureFamily>>,
    flags: Option<Vec<Flag>>,
    syscalls: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchitectureFamily {
    architecture: String,
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: Option<String>,
    names: Option<Vec<String>>,
    action: String,
    errno_ret: Option<u32>,
    args: Option<Vec<Argument>>,
    includes: Option<Condition>,
    excludes: Option<Condition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    index: usize,
    value: u64,
    value_two: Option<u64>,
    op: Operator,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

/// Reads a profile for a container with this bounding set. Nothing at all, if the profile neither lists a call nor has
/// a default action: Docker takes that for «no filter».
///
/// # Errors
/// In Docker's words: not JSON, both of two exclusive fields, an unknown action or architecture.
pub fn parse_profile(text: &str, bounding: &Capabilities) -> Result<Option<oci::LinuxSeccomp>, Error> {
    let profile: Profile = serde_json::from_str(text)
        .map_err(|error| Error::Seccomp(format!("Decoding seccomp profile failed: {error}")))?;
    let action = profile.default_action.as_deref().unwrap_or_default();
    let entries = profile.syscalls.as_deref().unwrap_or_default();
    if action.is_empty() && entries.is_empty() {
        return Ok(None);
    }
    let mut spec = oci::LinuxSeccomp::default();
    spec.set_default_action(parse(action, "action")?)
        .set_default_errno_ret(profile.default_errno_ret)
        .set_architectures(profile.architectures()?)
        .set_flags(profile.flags.clone());
    let mut rules = vec![];
    for entry in entries {
        if entry.applies(bounding)? {
            rules.push(entry.rule()?);
        }
    }
    spec.set_syscalls(Some(rules));
    Ok(Some(spec))
}

impl Profile {
    /// The architectures listed outright, or this machine's family out of the map.
    fn architectures(&self) -> Result<Option<Vec<oci::Arch>>, Error> {
        let listed = self.architectures.as_deref().unwrap_or_default();
        let families = self.arch_map.as_deref().unwrap_or_default();
        if !listed.is_empty() && !families.is_empty() {
            return Err(exclusive("architectures", "archMap"));
        }
        let native = architectures()[0];
        let family = families.iter().find(|family| family.architecture == native.to_string());
        let names: Vec<&String> = match family {
            Some(family) => {
                [&family.architecture].into_iter().chain(family.sub_architectures.iter().flatten()).collect()
            }
            None => listed.iter().collect(),
        };
        if names.is_empty() {
            return Ok(None);
        }
        names.into_iter().map(|name| parse(name, "architecture")).collect::<Result<_, _>>().map(Some)
    }
}

impl Entry {
    fn applies(&self, bounding: &Capabilities) -> Result<bool, Error> {
        let has = |name: &String| {
            oci::Capability::from_str(name.trim_start_matches("CAP_"))
                .is_ok_and(|capability| bounding.contains(&capability))
        };
        if let Some(excludes) = &self.excludes
            && (excludes.arches.iter().flatten().any(|arch| arch == GOARCH)
                || excludes.caps.iter().flatten().any(has)
                || excludes.kernel_is_new_enough()? == Some(true))
        {
            return Ok(false);
        }
        let Some(includes) = &self.includes else { return Ok(true) };
        let architecture =
            includes.arches.as_deref().is_none_or(|all| all.is_empty() || all.iter().any(|a| a == GOARCH));
        Ok(architecture && includes.caps.iter().flatten().all(has) && includes.kernel_is_new_enough()?.unwrap_or(true))
    }

    fn rule(&self) -> Result<oci::LinuxSyscall, Error> {
        let names = match (&self.name, &self.names) {
            (Some(name), Some(names)) if !name.is_empty() && !names.is_empty() => {
                return Err(exclusive("name", "names"));
            }
            (Some(name), _) if !name.is_empty() => vec![name.clone()],
            (_, names) => names.clone().unwrap_or_default(),
        };
        let mut rule = oci::LinuxSyscall::default();
        rule.set_names(names).set_action(parse(&self.action, "action")?).set_errno_ret(self.errno_ret).set_args(
            self.args
                .as_ref()
                .map(|args| args.iter().map(|arg| condition(arg.index, arg.op, arg.value, arg.value_two)).collect()),
        );
        Ok(rule)
    }
}

impl Condition {
    /// Whether this kernel is at least the one named; nothing if none is.
    fn kernel_is_new_enough(&self) -> Result<Option<bool>, Error> {
        let Some(wanted) = self.min_kernel.as_deref().filter(|version| !version.is_empty()) else { return Ok(None) };
        let wanted = version(wanted).ok_or_else(|| {
            Error::Seccomp(format!("Decoding seccomp profile failed: invalid kernel version: {wanted:?}"))
        })?;
        let uname = rustix::system::uname();
        let running = version(&uname.release().to_string_lossy()).unwrap_or_default();
        Ok(Some(running >= wanted))
    }
}

/// `5.11` and `6.18.44-generic`, to what can be compared.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn parse<T: FromStr>(name: &str, what: &str) -> Result<T, Error> {
    T::from_str(name).map_err(|_| Error::Seccomp(format!("Decoding seccomp profile failed: unknown {what}: {name:?}")))
}

fn exclusive(one: &str, other: &str) -> Error {
    Error::Seccomp(format!(
        "'{one}' and '{other}' were specified in the seccomp profile, use either '{one}' or '{other}'"
    ))
}

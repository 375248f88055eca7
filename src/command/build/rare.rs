//! Flags of Docker's that a build of Kesako has no use for: some are for a real dockerd, whose classic builder knows
//! them; the others are refused by name, so that nobody believes they did something.

use crate::flags::{size, ulimit};
use clap::{Arg, ArgAction, ArgMatches, Command};

/// A flag, and what becomes of it.
struct Rare {
    long: &'static str,
    short: Option<char>,
    kind: Kind,
    /// What the classic API calls it, if it knows it.
    classic: Option<&'static str>,
    /// Why Kesako refuses it; empty where it asks for what is so anyway.
    why: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Switch,
    Text,
    Number,
    Bytes,
    /// Sent as a list in JSON.
    List,
    Ulimits,
}

const LIMITS: &str = "the commands of a build have no limits of their own";
const CGROUP: &str = "the commands of a build have no cgroup of their own";
const REGISTRY: &str = "registries are not supported yet";
const ATTEST: &str = "images of Kesako carry no attestations";

const fn rare(long: &'static str, kind: Kind, classic: Option<&'static str>, why: &'static str) -> Rare {
    Rare { long, short: None, kind, classic, why }
}

static ALL: [Rare; 25] = [
    Rare { short: Some('m'), ..rare("memory", Kind::Bytes, Some("memory"), LIMITS) },
    rare("memory-swap", Kind::Bytes, Some("memswap"), LIMITS),
    Rare { short: Some('c'), ..rare("cpu-shares", Kind::Number, Some("cpushares"), LIMITS) },
    rare("cpu-period", Kind::Number, Some("cpuperiod"), LIMITS),
    rare("cpu-quota", Kind::Number, Some("cpuquota"), LIMITS),
    rare("cpuset-cpus", Kind::Text, Some("cpusetcpus"), CGROUP),
    rare("cpuset-mems", Kind::Text, Some("cpusetmems"), CGROUP),
    rare("cgroup-parent", Kind::Text, Some("cgroupparent"), CGROUP),
    rare("shm-size", Kind::Bytes, Some("shmsize"), LIMITS),
    rare("ulimit", Kind::Ulimits, Some("ulimits"), LIMITS),
    rare("isolation", Kind::Text, Some("isolation"), "there is one way only to contain a command"),
    rare("squash", Kind::Switch, Some("squash"), "each step that changes files is a layer"),
    rare("cache-from", Kind::List, Some("cachefrom"), "what was built here is reused without it"),
    rare("force-rm", Kind::Switch, Some("forcerm"), ""),
    rare("compress", Kind::Switch, None, "the context goes over a local socket"),
    rare("security-opt", Kind::List, None, "security options are not supported on linux"),
    rare("cache-to", Kind::List, None, REGISTRY),
    rare("push", Kind::Switch, None, REGISTRY),
    rare("allow", Kind::List, None, "there are no entitlements to be given"),
    rare("annotation", Kind::List, None, "use --label"),
    rare("attest", Kind::List, None, ATTEST),
    rare("provenance", Kind::Text, None, ATTEST),
    rare("sbom", Kind::Text, None, ATTEST),
    rare("builder", Kind::Text, None, "there is one builder only"),
    rare("disable-content-trust", Kind::Switch, None, ""),
];

/// Those that were given.
#[derive(Debug)]
pub(super) struct Given(Vec<(&'static Rare, Vec<String>)>);

impl std::fmt::Debug for Rare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.long)
    }
}

impl Given {
    /// Kesako's answer to them.
    pub(super) fn refuse(&self) -> anyhow::Result<()> {
        match self.0.iter().find(|(rare, values)| !rare.is_nothing(values)) {
            Some((rare, _)) => anyhow::bail!("--{}: not supported: {}", rare.long, rare.why),
            None => Ok(()),
        }
    }

    /// As parameters of the classic API.
    pub(super) fn classic(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut parameters = Vec::new();
        for (rare, values) in self.0.iter().filter(|(rare, values)| !rare.is_nothing(values) || rare.classic.is_some())
        {
            let Some(name) = rare.classic else {
                anyhow::bail!("--{}: not supported by the classic builder of dockerd", rare.long);
            };
            parameters.push((name, rare.parameter(values)?));
        }
        Ok(parameters)
    }
}

impl Rare {
    /// Whether it asks for what is so without it.
    fn is_nothing(&self, values: &[String]) -> bool {
        let is_off = |value: &String| matches!(value.as_str(), "false" | "0" | "f" | "default" | "");
        self.why.is_empty() || (matches!(self.kind, Kind::Switch | Kind::Text) && values.iter().all(is_off))
    }

    fn parameter(&self, values: &[String]) -> anyhow::Result<String> {
        let value = values.last().map(String::as_str).unwrap_or_default();
        let wrong = |why: String| anyhow::anyhow!("invalid argument {value:?} for \"--{}\" flag: {why}", self.long);
        Ok(match self.kind {
            Kind::Switch | Kind::Text => value.to_owned(),
            Kind::Number => crate::arguments::integer(value).map_err(wrong)?.to_string(),
            Kind::Bytes => size::bytes_or_unlimited(value).map_err(wrong)?.to_string(),
            Kind::List => serde_json::to_string(values)?,
            Kind::Ulimits => {
                let limits: Result<Vec<_>, _> = values.iter().map(|value| ulimit::parse(value)).collect();
                serde_json::to_string(&limits.map_err(|why| wrong(why.to_string()))?)?
            }
        })
    }

    fn argument(&self) -> Arg {
        let arg = Arg::new(self.long).long(self.long).hide(true);
        let arg = match self.short {
            Some(short) => arg.short(short),
            None => arg,
        };
        match self.kind {
            Kind::Switch => arg.action(ArgAction::SetTrue),
            _ => arg.action(ArgAction::Append),
        }
    }
}

impl clap::Args for Given {
    fn augment_args(command: Command) -> Command {
        command.args(ALL.iter().map(Rare::argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let values = |rare: &'static Rare| match rare.kind {
            Kind::Switch => matches.get_flag(rare.long).then(|| vec!["true".to_owned()]),
            _ => matches.get_many::<String>(rare.long).map(|values| values.cloned().collect()),
        };
        Ok(Self(ALL.iter().filter_map(|rare| Some((rare, values(rare)?))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

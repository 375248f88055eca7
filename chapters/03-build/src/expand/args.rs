//! What build arguments are worth, and where they are known.
//!
//! Dockerfile reference, "ARG". There are three scopes. What is given with `--build-arg` is nothing until an ARG names it.
//! An ARG before the first FROM is known to the FROM lines, and so are the platforms ([`automatic`]), which nobody has to
//! declare there. Within a stage only its own ARGs are known, and those of the stages it is built from; `ARG NAME` without a
//! default takes what the scope of the FROM lines has. Proxies ([`PROXIES`]) alone are known without an ARG, and only to
//! RUN: neither the cache nor the history knows them.

use super::{Expanded, Lookup};
use crate::dockerfile::{Parsed, suggest};
use crate::error::{Error, Result};
use crate::instruction::{Dockerfile, Instruction, Stage, Step};
use layers::manifest::Platform;
use std::collections::{BTreeMap, BTreeSet};

/// Given as a build argument, these are environment of a RUN, in capitals and in small letters.
pub const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// Build arguments that say something to the builder itself.
pub const BUILDERS: [&str; 10] = [
    "BUILDKIT_BUILD_NAME",
    "BUILDKIT_CACHE_MOUNT_NS",
    "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
    "BUILDKIT_DOCKERFILE_CHECK",
    "BUILDKIT_INLINE_CACHE",
    "BUILDKIT_MULTI_PLATFORM",
    "BUILDKIT_SANDBOX_HOSTNAME",
    "BUILDKIT_SBOM_SCAN_CONTEXT",
    "BUILDKIT_SBOM_SCAN_STAGE",
    "BUILDKIT_SYNTAX",
];

/// Of the values before the first FROM, in bytes. `ARG a=$b` is ten bytes, and may be as long as `b`.
const MAX_GLOBAL: usize = 16 << 20;

/// The build arguments of one build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    given: BTreeMap<String, String>,
    /// What FROM lines know.
    global: BTreeMap<String, String>,
    /// What they would know if nothing were given (but for the platforms).
    defaults: BTreeMap<String, String>,
    /// The ARGs before the first FROM, with or without a value.
    declared: BTreeSet<String>,
}

/// What a FROM is about, without variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    pub from: Expanded,
    pub platform: Option<Expanded>,
}

/// The platform ARGs that nobody has to declare in the scope of the FROM lines. `build` is this machine's; `stage` the
/// name of the target.
pub fn automatic(build: &Platform, target: &Platform, stage: &str) -> [(&'static str, String); 11] {
    // What the platform's own name says: the third part, if it has one.
    let variant = |platform: &Platform| platform.to_string().split('/').nth(2).unwrap_or_default().to_owned();
    let version = |platform: &Platform| platform.os_version.clone().unwrap_or_default();
    [
        ("BUILDPLATFORM", build.to_string()),
        ("BUILDOS", build.os.clone()),
        ("BUILDOSVERSION", version(build)),
        ("BUILDARCH", build.architecture.clone()),
        ("BUILDVARIANT", variant(build)),
        ("TARGETPLATFORM", target.to_string()),
        ("TARGETOS", target.os.clone()),
        ("TARGETOSVERSION", version(target)),
        ("TARGETARCH", target.architecture.clone()),
        ("TARGETVARIANT", variant(target)),
        ("TARGETSTAGE", if stage.is_empty() { "default" } else { stage }.to_owned()),
    ]
}

impl Args {
    /// What is given, and what the ARGs before the first FROM make of it.
    ///
    /// # Errors
    /// [`Error::Dockerfile`]: a default cannot be expanded.
    pub fn new(
        parsed: &Parsed,
        given: &BTreeMap<String, String>,
        automatic: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self> {
        let platform = |(name, value)| (String::from(name), given.get(name).cloned().unwrap_or(value));
        let automatic: BTreeMap<_, _> = automatic.into_iter().map(platform).collect();
        let global = with_defaults(parsed, given, automatic.clone())?;
        // What is given may be what makes them possible.
        let defaults = with_defaults(parsed, &BTreeMap::new(), automatic.clone()).unwrap_or(automatic);
        let names = |step: &Step| match &step.instruction {
            Instruction::Arg(names) => names.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        };
        let declared = parsed.dockerfile.meta_args.iter().flat_map(names).collect();
        Ok(Self { given: given.clone(), global, defaults, declared })
    }

    /// What a name is worth in a FROM line.
    pub fn global(&self, name: &str) -> Option<String> {
        self.global.get(name).cloned()
    }

    /// What it would be worth if nothing were given.
    pub(crate) fn default(&self, name: &str) -> Option<String> {
        self.defaults.get(name).cloned()
    }

    /// Whether a FROM line may name it.
    pub(crate) fn is_declared(&self, name: &str) -> bool {
        self.global.contains_key(name) || self.declared.contains(name)
    }

    /// All that may be named in a FROM line.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.global.keys().chain(&self.declared).map(String::as_str)
    }

    /// What `ARG name=default`, or `ARG name`, in a stage is worth. None: nothing, and the name is not set.
    ///
    /// * What was given for this build (`--build-arg name=value`; `self.given`) comes first: no default counts beside it.
    /// * Else its own default, in which `$OTHER` may name what the stage knows so far: `lookup` does, and `value_of` replaces
    ///   it.
    /// * Only an ARG without a default takes what the FROM lines know under this name (`self.global`): an ARG before the first
    ///   FROM, or the platform.
    ///
    /// One after the other: the ARGs of one line see those before them. They are not kept in the image, but they are
    /// environment of the RUNs after them, in this stage and in those that are built from it.
    ///
    /// Dockerfile reference, "ARG", "Scope".
    ///
    /// # Errors
    /// [`Error::Expand`].
    pub fn declared(
        &self,
        name: &str,
        default: Option<&str>,
        lookup: Lookup,
        escape: char,
    ) -> Result<Option<Expanded>> {
        let plain = |text: &String| Expanded { text: text.clone(), ..Expanded::default() };
        // exercise: 3.4 declared: what an ARG is worth in its stage
        todo!("exercise 3.4, declared: what an ARG is worth in its stage")
        // end exercise
    }

    /// The image and the platform of a FROM.
    ///
    /// # Errors
    /// [`Error::Dockerfile`]: they cannot be expanded, or nothing is left.
    pub fn base(&self, stage: &Stage, parsed: &Parsed) -> Result<Base> {
        let blame = |message: String| parsed.source.blame(&stage.lines, message);
        let expand = |text: &str| super::word(text, &|name| self.global(name), parsed.directives.escape);
        let from = expand(&stage.from).map_err(|error| blame(error.to_string()))?;
        if from.text.is_empty() {
            return Err(blame(format!("base name ({}) should not be blank", stage.from)));
        }
        let Some(written) = &stage.platform else { return Ok(Base { from, platform: None }) };
        let failed = |error: Error| blame(format!("failed to process arguments for platform {written}: {error}"));
        let platform = expand(written).map_err(failed)?;
        if platform.text.is_empty() {
            let near = platform.unmatched.iter().find_map(|name| suggest::nearest(name, self.names()));
            let hint = near.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
            return Err(blame(format!("empty platform value from expression {written}{hint}")));
        }
        Ok(Base { from, platform: Some(platform) })
    }

    /// `HTTP_PROXY=…`, `http_proxy=…`: what RUN gets without an ARG.
    pub fn proxies(&self) -> Vec<String> {
        let given = |proxy: &str| self.given.iter().rfind(|(name, _)| name.eq_ignore_ascii_case(proxy));
        let both =
            |(proxy, value): (&str, &String)| [format!("{proxy}={value}"), format!("{}={value}", proxy.to_lowercase())];
        PROXIES
            .iter()
            .filter_map(|proxy| given(proxy).filter(|(_, value)| !value.is_empty()).map(|(_, value)| (*proxy, value)))
            .flat_map(both)
            .collect()
    }

    /// Build arguments that were given for nothing: no ARG names them, and the builder does not know them.
    pub fn unconsumed<'a>(&'a self, dockerfile: &Dockerfile) -> Vec<&'a str> {
        let steps = dockerfile.meta_args.iter().chain(dockerfile.stages.iter().flat_map(|stage| &stage.steps));
        let declared: BTreeSet<&str> = steps
            .filter_map(|step| match &step.instruction {
                Instruction::Arg(names) => Some(names.iter().map(|(name, _)| name.as_str())),
                _ => None,
            })
            .flatten()
            .collect();
        let known = |name: &str| {
            declared.contains(name)
                || self.global.contains_key(name)
                || BUILDERS.contains(&name)
                || PROXIES.iter().any(|proxy| proxy.eq_ignore_ascii_case(name))
                || name == "SOURCE_DATE_EPOCH"
        };
        self.given.keys().map(String::as_str).filter(|name| !known(name)).collect()
    }
}

/// What a default becomes, once the variables in it are replaced.
fn value_of(name: &str, default: &str, lookup: Lookup, escape: char) -> Result<Expanded> {
    let expanded = super::word(default, lookup, escape)?;
    super::fits(name, &expanded.text)?;
    Ok(expanded)
}

/// Adds the ARGs before the first FROM, one after the other.
fn with_defaults(
    parsed: &Parsed,
    given: &BTreeMap<String, String>,
    mut global: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut room = MAX_GLOBAL;
    for step in &parsed.dockerfile.meta_args {
        let Instruction::Arg(names) = &step.instruction else { continue };
        let blame = |message: String| parsed.source.blame(&step.lines, message);
        for (name, default) in names {
            let value = match (given.get(name), default) {
                (Some(given), _) => given.clone(),
                (None, Some(default)) => {
                    let lookup = |name: &str| global.get(name).cloned();
                    let value = value_of(name, default, &lookup, parsed.directives.escape);
                    value.map_err(|error| blame(error.to_string()))?.text
                }
                (None, None) => continue,
            };
            room = room
                .checked_sub(value.len())
                .ok_or_else(|| blame(format!("the ARGs before the first FROM have more than {MAX_GLOBAL} bytes")))?;
            global.insert(name.clone(), value);
        }
    }
    Ok(global)
}

//! What FROM lines know: the platforms, and the ARGs before the first FROM.

use crate::error::Result;
use build::dockerfile::Parsed;
use build::expand;
use build::instruction::Instruction;
use layers::manifest::Platform;
use std::collections::BTreeMap;

/// Values by name.
pub type Arguments = BTreeMap<String, String>;

/// The arguments that are there without being named, and the meta ARGs of a Dockerfile. `build_args` win (`--build-arg`; None
/// is one that has no value, and counts as not given). A stage that says `ARG NAME` again gets the value from here.
///
/// # Errors
/// A default that cannot be expanded.
pub(crate) fn global(
    parsed: &Parsed,
    build_args: &BTreeMap<String, Option<String>>,
    platform: &Platform,
    target: &str,
) -> Result<Arguments> {
    let given = |name: &str| build_args.get(name).cloned().flatten();
    let mut arguments: Arguments =
        predefined(platform, target).map(|(name, value)| (name.to_owned(), given(name).unwrap_or(value))).into();
    for step in &parsed.dockerfile.meta_args {
        let Instruction::Arg(args) = &step.instruction else { continue };
        for (name, default) in args {
            let value = match (given(name), default) {
                (Some(value), _) => Some(value),
                (None, Some(default)) => {
                    let lookup = |name: &str| arguments.get(name).cloned();
                    let expanded = expand::word(default, &lookup, parsed.directives.escape);
                    let shown = |error| crate::Error::Build(error).at(&parsed.source, &step.lines);
                    Some(expanded.map_err(shown)?.text)
                }
                (None, None) => None,
            };
            if let Some(value) = value {
                arguments.insert(name.clone(), value);
            }
        }
    }
    Ok(arguments)
}

/// Dockerfile reference, "Automatic platform ARGs in the global scope".
fn predefined(target: &Platform, stage: &str) -> [(&'static str, String); 11] {
    let host = Platform::host();
    let version = |platform: &Platform| platform.os_version.clone().unwrap_or_default();
    [
        ("BUILDPLATFORM", spelled(&host)),
        ("BUILDOS", host.os.clone()),
        ("BUILDOSVERSION", version(&host)),
        ("BUILDARCH", host.architecture.clone()),
        ("BUILDVARIANT", variant(&host).to_owned()),
        ("TARGETPLATFORM", spelled(target)),
        ("TARGETOS", target.os.clone()),
        ("TARGETOSVERSION", version(target)),
        ("TARGETARCH", target.architecture.clone()),
        ("TARGETVARIANT", variant(target).to_owned()),
        ("TARGETSTAGE", if stage.is_empty() { "default".to_owned() } else { stage.to_owned() }),
    ]
}

/// `linux/arm/v7`.
fn spelled(platform: &Platform) -> String {
    let variant = Some(variant(platform)).filter(|variant| !variant.is_empty());
    let parts = [Some(platform.os.as_str()), Some(platform.architecture.as_str()), variant];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

/// Every arm64 is a v8, and does not say so.
fn variant(platform: &Platform) -> &str {
    match (platform.architecture.as_str(), platform.variant.as_deref()) {
        ("arm64", Some("v8")) | (_, None) => "",
        (_, Some(variant)) => variant,
    }
}

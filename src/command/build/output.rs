//! `--output`: what becomes of the result.

use super::fields;
use anyhow::{Result, bail};
use engine::api::Output;
use std::path::PathBuf;

/// `type=tar,dest=file`, or only a path: a folder for the files, or `-` for an archive on standard output.
pub(super) fn parse(text: &str) -> Result<Output> {
    let parsed = fields::parse(text);
    if let [(path, None)] = parsed.as_slice() {
        let kind = if path == "-" { "tar" } else { "local" };
        return complete(kind.to_owned(), Some(path.clone()));
    }
    let (mut kind, mut dest) = (String::new(), None);
    for (key, value) in parsed {
        let Some(value) = value else { bail!("invalid value {key}") };
        match key.as_str() {
            "type" => kind = value,
            "dest" => dest = Some(value),
            "push" if !is_yes(&value) => {}
            "push" => bail!("--output push: not supported: registries are not supported yet"),
            "tar" if kind == "oci" || kind == "docker" => {
                if !is_yes(&value) {
                    bail!("--output type={kind},tar=false: not supported: the archive holds the same files");
                }
            }
            _ => bail!("--output {key}: not supported"),
        }
    }
    complete(kind, dest)
}

fn complete(kind: String, dest: Option<String>) -> Result<Output> {
    let dest = dest.filter(|dest| !dest.is_empty());
    let dest = match (kind.as_str(), dest) {
        ("", _) => bail!("type is required for output"),
        ("image", Some(_)) => bail!("dest cannot be specified for image exporter"),
        ("image" | "docker", None) => None,
        ("local", None) => bail!("dest is required for local exporter"),
        ("local", Some(dest)) if dest == "-" => bail!("dest cannot be stdout for local exporter"),
        ("local" | "docker", Some(dest)) => Some(dest),
        ("tar" | "oci", dest) => Some(dest.unwrap_or_else(|| "-".to_owned())),
        ("registry", _) => bail!("--output type=registry: not supported: registries are not supported yet"),
        (other, _) => bail!("--output type={other}: not supported; known are docker, image, local, oci and tar"),
    };
    if dest.as_deref() == Some("-") && std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        bail!("dest file is required for {kind} exporter. refusing to write to console");
    }
    Ok(Output { kind, dest: dest.map(PathBuf::from) })
}

fn is_yes(value: &str) -> bool {
    matches!(value, "" | "1" | "t" | "true" | "True" | "TRUE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs() {
        let of = |text: &str| {
            let output = parse(text).map_err(|error| error.to_string())?;
            Ok::<_, String>((output.kind, output.dest.map(|dest| dest.display().to_string())))
        };
        let is = |kind: &str, dest: Option<&str>| Ok((kind.to_owned(), dest.map(str::to_owned)));
        assert_eq!(of("out"), is("local", Some("out")));
        assert_eq!(of("type=local,dest=out"), is("local", Some("out")));
        assert_eq!(of("type=docker"), is("docker", None));
        assert_eq!(of("type=docker,dest=x.tar"), is("docker", Some("x.tar")));
        assert_eq!(of("type=oci,dest=x.tar,tar=true"), is("oci", Some("x.tar")));
        assert_eq!(of("type=image,push=false"), is("image", None));
        for text in ["type=local", "type=image,dest=x", "dest=x", "type=zip", "type=image,push=true", "type=tar,x=y"] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}

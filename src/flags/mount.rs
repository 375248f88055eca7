//! `--mount type=tmpfs,target=/x,tmpfs-size=64m,tmpfs-mode=1777`. Volumes and bind mounts are still to come, and
//! refused.

use super::size;
use engine::api::{MountRequest, TmpfsOptions};

/// A mount.
pub fn parse(text: &str) -> Result<MountRequest, String> {
    let mut mount = MountRequest::default();
    let mut options = TmpfsOptions::default();
    for field in text.split(',') {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_ascii_lowercase(), value),
            // The switches may stand alone.
            None if matches!(field, "readonly" | "ro") => (field.to_owned(), "true"),
            None => return Err(format!("invalid field '{field}' must be a key=value pair")),
        };
        match key.as_str() {
            "type" => mount.r#type = value.to_ascii_lowercase(),
            "source" | "src" => mount.source = value.to_owned(),
            "target" | "dst" | "destination" => mount.target = value.to_owned(),
            "readonly" | "ro" => {
                mount.read_only = match value {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(format!("invalid value for {key}: {value}")),
                };
            }
            "tmpfs-size" => {
                options.size_bytes = size::bytes(value).map_err(|_| format!("invalid value for {key}: {value}"))?;
            }
            "tmpfs-mode" => {
                options.mode =
                    u32::from_str_radix(value, 8).map_err(|_| format!("invalid value for {key}: {value}"))?;
            }
            _ => return Err(format!("unknown option '{key}' in '{field}'")),
        }
    }
    if mount.target.is_empty() {
        return Err("target is required".to_owned());
    }
    match mount.r#type.as_str() {
        "tmpfs" if !mount.source.is_empty() => return Err("a tmpfs mount has no source".to_owned()),
        "tmpfs" => {}
        "" => return Err("type is required, and tmpfs is the only one so far".to_owned()),
        other => return Err(format!("mounts of type {other:?} are not supported yet, only tmpfs")),
    }
    if options != TmpfsOptions::default() {
        mount.tmpfs_options = Some(options);
    }
    Ok(mount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tmpfs() {
        let mount = parse("type=tmpfs,destination=/x,tmpfs-size=1m,tmpfs-mode=1777,ro").unwrap();
        assert_eq!((mount.target.as_str(), mount.read_only), ("/x", true));
        assert_eq!(mount.tmpfs_options, Some(TmpfsOptions { size_bytes: 1 << 20, mode: 0o1777 }));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["type=bind,src=/a,target=/b", "type=tmpfs", "target=/x", "foo", "type=tmpfs,target=/x,foo=1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

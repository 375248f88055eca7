//! `--secret` and `--ssh`: what a command of the build may see, and no layer keeps.

use super::fields;
use crate::flags::environment::go_text;
use anyhow::{Result, bail};
use engine::api::Secret;
use std::path::PathBuf;

/// BuildKit's limit.
const LARGEST: usize = 500 * 1024;

/// `id=token,src=file`, `id=token,env=NAME`, or just `id=token`: then it is the variable of that name, if there is one,
/// and else the file.
pub(in crate::command) fn secret(text: &str) -> Result<Secret> {
    let (mut id, mut source, mut variable, mut kind) = (None, None, None, None);
    for (key, value) in fields::parse(text) {
        let Some(value) = value else { bail!("invalid field '{key}' must be a key=value pair") };
        match key.as_str() {
            "id" => id = Some(value),
            "source" | "src" => source = Some(value),
            "env" => variable = Some(value),
            "type" if matches!(value.as_str(), "env" | "file") => kind = Some(value),
            "type" => bail!("unsupported secret type {value:?}"),
            _ => bail!("unexpected key '{key}' in '{key}={value}'"),
        }
    }
    // `type=env` gives the source another meaning.
    if kind.as_deref() == Some("env") && variable.is_none() {
        variable = source.take().or_else(|| id.clone());
    }
    let Some(id) = id.or_else(|| source.clone()) else { bail!("secret is missing an id: {text}") };
    let by_name = variable.is_none() && source.is_none() && kind.as_deref() != Some("file");
    if by_name && std::env::var_os(&id).is_some() {
        variable = Some(id.clone());
    }
    let value = match (variable, source) {
        (Some(name), _) => std::env::var_os(&name).map(std::ffi::OsString::into_encoded_bytes).unwrap_or_default(),
        (None, source) => {
            let path = source.unwrap_or_else(|| id.clone());
            std::fs::read(&path).map_err(|error| anyhow::anyhow!("failed to stat {path}: {}", go_text(&error)))?
        }
    };
    named(id, value)
}

/// A secret of which the value is known.
pub(in crate::command) fn named(id: String, value: Vec<u8>) -> Result<Secret> {
    if value.len() > LARGEST {
        bail!("invalid secret size {} bytes, must not exceed {LARGEST} bytes", value.len());
    }
    Ok(Secret { id, value })
}

/// `default`, `ID`, `ID=socket` or `ID=key,key`. Without a path it is the agent that we talk to ourselves.
pub(in crate::command) fn ssh(text: &str) -> Result<(String, Vec<PathBuf>)> {
    let (id, paths) = text.split_once('=').unwrap_or((text, ""));
    let mut paths: Vec<PathBuf> = paths.split(',').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    if paths.is_empty() {
        match std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty()) {
            Some(socket) => paths.push(socket.into()),
            None => bail!("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set"),
        }
    }
    for path in &paths {
        if let Err(error) = std::fs::metadata(path) {
            bail!("failed to stat {}: {}", path.display(), go_text(&error));
        }
    }
    Ok((id.to_owned(), paths))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_file_or_a_variable() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "s3cret\n").unwrap();
        let of = |text: &str| secret(text).map(|secret| (secret.id, secret.value)).map_err(|error| error.to_string());
        let path = file.display();
        assert_eq!(of(&format!("id=t,src={path}")), Ok(("t".into(), b"s3cret\n".to_vec())));
        assert_eq!(of(&format!("type=file,source={path},id=t")), Ok(("t".into(), b"s3cret\n".to_vec())));
        let path = std::env::var("PATH").unwrap().into_bytes();
        for text in ["id=PATH", "id=PATH,env=PATH", "type=env,id=PATH,src=PATH", "type=env,id=PATH"] {
            assert_eq!(of(text), Ok(("PATH".into(), path.clone())), "{text}");
        }
        assert_eq!(of("id=t,src=/nope"), Err("failed to stat /nope: no such file or directory".into()));
        assert_eq!(of("id=t,what=x"), Err("unexpected key 'what' in 'what=x'".into()));
        assert_eq!(of("type=x,id=t"), Err("unsupported secret type \"x\"".into()));
        assert!(of("src").is_err() && of("type=env").is_err());
        std::fs::write(&file, vec![0; LARGEST + 1]).unwrap();
        assert!(of(&format!("id=t,src={}", file.display())).unwrap_err().contains("must not exceed 512000 bytes"));
    }

    #[test]
    fn keys_are_files_that_exist() {
        assert_eq!(ssh("a=/dev/null,/dev/zero").unwrap(), ("a".into(), vec!["/dev/null".into(), "/dev/zero".into()]));
        assert_eq!(ssh("a=/nope").unwrap_err().to_string(), "failed to stat /nope: no such file or directory");
    }
}

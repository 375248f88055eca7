//! Where a build's files come from, and where its Dockerfile is.

use super::Context;
use crate::flags::environment::go_text;
use anyhow::{Result, anyhow, bail};
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;

/// Enough to tell an archive by: the head of a tar's first entry.
const HEAD: usize = 512;

/// Where the Dockerfile is.
pub(in crate::command) enum Dockerfile {
    /// In the context, by this path; empty is `Dockerfile`.
    Within(String),
    /// It came another way: the name it goes by, its text, and what the `.dockerignore` beside it says.
    Text { name: String, text: String, ignore: Option<String> },
}

/// Finds both. `word` is the context as it was given, `file` what `-f` says.
pub(in crate::command) async fn find(word: &str, file: Option<&str>) -> Result<(Context, Dockerfile)> {
    let file = file.filter(|file| !file.is_empty());
    if word == "-" {
        return standard_input(file).await;
    }
    let within = || Dockerfile::Within(file.unwrap_or_default().to_owned());
    let context = place(word)?;
    let dockerfile = match (&context, file) {
        (_, Some("-")) => {
            let mut text = String::new();
            let read = tokio::io::stdin().read_to_string(&mut text).await;
            read.map_err(|error| anyhow!("failed to read dockerfile from stdin: {}", go_text(&error)))?;
            Dockerfile::Text { name: "Dockerfile".to_owned(), text, ignore: None }
        }
        (Context::Folder(folder), file) => beside(folder, file)?,
        _ => within(),
    };
    Ok((context, dockerfile))
}

/// A folder, or an address.
pub(in crate::command) fn place(word: &str) -> Result<Context> {
    if is_git(word) {
        bail!("unable to prepare context: {word}: git repositories are not supported; clone it, and build the folder");
    }
    Ok(match word.starts_with("http://") || word.starts_with("https://") {
        true => Context::Url(word.to_owned()),
        false => Context::Folder(folder(word)?),
    })
}

/// An archive, or a Dockerfile.
async fn standard_input(file: Option<&str>) -> Result<(Context, Dockerfile)> {
    if file == Some("-") {
        bail!("invalid argument: can't use stdin for both build context and dockerfile");
    }
    let mut stdin = tokio::io::stdin();
    let mut head = Vec::with_capacity(HEAD);
    let broken = |error: std::io::Error| anyhow!("failed to read context from stdin: {}", go_text(&error));
    (&mut stdin).take(HEAD as u64).read_to_end(&mut head).await.map_err(broken)?;
    if is_archive(&head) {
        let archive = Box::new(std::io::Cursor::new(head).chain(stdin));
        return Ok((Context::Archive(archive), Dockerfile::Within(file.unwrap_or_default().to_owned())));
    }
    if file.is_some() {
        bail!("ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles");
    }
    stdin.read_to_end(&mut head).await.map_err(broken)?;
    let text =
        String::from_utf8(head).map_err(|_| anyhow!("the Dockerfile on stdin is neither text nor an archive"))?;
    Ok((Context::Nothing, Dockerfile::Text { name: "Dockerfile".to_owned(), text, ignore: None }))
}

fn folder(word: &str) -> Result<PathBuf> {
    match std::fs::canonicalize(word) {
        Ok(path) if path.is_dir() => Ok(path),
        Ok(_) => bail!("unable to prepare context: path {word:?} is not a folder"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("unable to prepare context: path {word:?} not found")
        }
        Err(error) => bail!("unable to prepare context: {word}: {}", go_text(&error)),
    }
}

/// The Dockerfile of a folder: what `-f` names, seen from where we are; else the folder's own, which may be written small.
fn beside(folder: &Path, file: Option<&str>) -> Result<Dockerfile> {
    let path = match file {
        Some(file) => PathBuf::from(file),
        None => match folder.join("Dockerfile") {
            path if !path.exists() && folder.join("dockerfile").exists() => folder.join("dockerfile"),
            path => path,
        },
    };
    let missing = |error: std::io::Error| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        anyhow!("failed to read dockerfile: open {name}: {}", go_text(&error))
    };
    // A link may lead out of the context, where only we can follow it.
    let real = std::fs::canonicalize(&path).map_err(missing)?;
    if let Ok(inner) = real.strip_prefix(folder)
        && let Some(inner) = inner.to_str()
    {
        return Ok(Dockerfile::Within(inner.to_owned()));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = std::fs::read(&real).map_err(missing)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("failed to read dockerfile: {name} is not UTF-8"))?;
    let mut beside = real.into_os_string();
    beside.push(".dockerignore");
    Ok(Dockerfile::Text { name, text, ignore: std::fs::read_to_string(beside).ok() })
}

/// As `docker` tells a repository from an archive.
fn is_git(word: &str) -> bool {
    let path = word.split('#').next().unwrap_or_default();
    let is_url = path.starts_with("http://") || path.starts_with("https://");
    (is_url && path.ends_with(".git"))
        || ["git://", "github.com/", "git@", "ssh://"].iter().any(|it| word.starts_with(it))
}

/// Whether these are the first bytes of a tar, bare or compressed.
fn is_archive(head: &[u8]) -> bool {
    const COMPRESSED: [&[u8]; 4] = [b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
    let is_tar = head.len() == HEAD && {
        // The checksum of a header counts its own field as blanks (POSIX, pax, "ustar Interchange Format").
        let sum: u32 = head
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
            .sum();
        let field = String::from_utf8_lossy(&head[148..156]);
        let field = field.trim_matches(|c: char| c == '\0' || c == ' ');
        head.iter().all(|byte| *byte == 0) || u32::from_str_radix(field, 8) == Ok(sum)
    };
    is_tar || COMPRESSED.iter().any(|magic| head.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_told_from_a_dockerfile() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        archive.append_data(&mut header, "a", &b"hi"[..]).unwrap();
        let archive = archive.into_inner().unwrap();
        assert!(is_archive(&archive[..HEAD]));
        assert!(is_archive(&[0; HEAD]), "a tar of nothing");
        assert!(is_archive(b"\x1f\x8b\x08\0\0"));
        let dockerfile = "FROM box\n".repeat(100);
        assert!(!is_archive(&dockerfile.as_bytes()[..HEAD]) && !is_archive(b"FROM box\n") && !is_archive(b""));
    }

    #[test]
    fn repositories() {
        for word in ["https://x/y.git#main:sub", "git://x", "github.com/a/b", "git@x:y"] {
            assert!(is_git(word), "{word}");
        }
        assert!(!is_git("https://x/y.tar.gz") && !is_git("gitfolder") && !is_git("x.git"));
    }

    #[test]
    fn a_dockerfile_outside_of_the_context_comes_as_text() {
        let place = tempfile::tempdir().unwrap();
        let path = std::fs::canonicalize(place.path()).unwrap();
        let context = path.join("context");
        std::fs::create_dir(&context).unwrap();
        std::fs::write(context.join("dockerfile"), "FROM a").unwrap();
        std::fs::write(path.join("Other"), "FROM b").unwrap();
        std::fs::write(path.join("Other.dockerignore"), "x").unwrap();
        std::os::unix::fs::symlink("../Other", context.join("Link")).unwrap();
        assert!(matches!(beside(&context, None), Ok(Dockerfile::Within(name)) if name == "dockerfile"));
        for file in ["Other", "context/Link"] {
            let found = beside(&context, Some(path.join(file).to_str().unwrap())).unwrap();
            let Dockerfile::Text { text, ignore, .. } = found else { panic!("{file} is not within") };
            assert_eq!((text.as_str(), ignore.as_deref()), ("FROM b", Some("x")));
        }
        let missing = beside(&context, Some("/nope/D")).err().unwrap().to_string();
        assert_eq!(missing, "failed to read dockerfile: open D: no such file or directory");
    }
}

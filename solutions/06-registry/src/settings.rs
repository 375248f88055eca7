//! What the host's administrator says of registries: `daemon.json`, with the names that Docker's has, and folders of
//! certificates.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Layers that are fetched, and sent, at the same time, as Docker has it.
const DOWNLOADS: usize = 3;
const UPLOADS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(1);

/// How registries are to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Addresses that are asked before Docker Hub is.
    pub mirrors: Vec<String>,
    /// Hosts (`name:port`, `name`) and networks (`10.0.0.0/8`) whose certificates are not looked at, and that may speak
    /// plain HTTP.
    pub insecure: Vec<String>,
    /// Folders with a folder `host:port` in them, with certificates: `*.crt` of authorities, `*.cert` and `*.key` of
    /// ours.
    pub certificates: Vec<PathBuf>,
    pub downloads: usize,
    pub uploads: usize,
    /// How long to wait after a first failure; after each further one twice as long.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let (mirrors, insecure, certificates) = Default::default();
        Self { mirrors, insecure, certificates, downloads: DOWNLOADS, uploads: UPLOADS, patience: PATIENCE }
    }
}

/// What we read of `daemon.json`. Other keys are of no concern here, as Docker's own are many.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Document {
    registry_mirrors: Vec<String>,
    insecure_registries: Vec<String>,
    max_concurrent_downloads: Option<usize>,
    max_concurrent_uploads: Option<usize>,
}

impl Settings {
    /// Reads `daemon.json` from the first of these folders that has one. Certificates are looked for in `certs.d` in
    /// each of them, then in Docker's own places.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be read, or makes no sense.
    pub fn read(folders: &[PathBuf], dockers: &[PathBuf]) -> Result<Self> {
        let mut document = Document::default();
        for folder in folders {
            let path = folder.join("daemon.json");
            match fs::read(&path) {
                Ok(bytes) => {
                    document = serde_json::from_slice(&bytes).map_err(Error::file("read", &path))?;
                    check(&document, &path)?;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::file("read", path)(error)),
            }
        }
        Ok(Self {
            mirrors: document.registry_mirrors,
            insecure: document.insecure_registries,
            certificates: folders.iter().chain(dockers).map(|folder| folder.join("certs.d")).collect(),
            downloads: document.max_concurrent_downloads.unwrap_or(DOWNLOADS).max(1),
            uploads: document.max_concurrent_uploads.unwrap_or(UPLOADS).max(1),
            patience: PATIENCE,
        })
    }
}

fn check(document: &Document, path: &Path) -> Result<()> {
    let bad = |mirror: &&String| {
        let host = mirror.strip_prefix("https://").or_else(|| mirror.strip_prefix("http://"));
        host.is_none_or(|host| host.is_empty() || host.contains(['?', '#', '@']))
    };
    match document.registry_mirrors.iter().find(bad) {
        Some(mirror) => Err(Error::file("use", path)(format!(
            "invalid mirror: {mirror:?}: write it as https://host:port, without user, query or fragment"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_counts() {
        let place = tempfile::tempdir().unwrap();
        let (none, own, other) = (place.path().join("a"), place.path().join("b"), place.path().join("c"));
        for folder in [&own, &other] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(own.join("daemon.json"), r#"{"registry-mirrors":["http://m:1"],"debug":true}"#).unwrap();
        fs::write(other.join("daemon.json"), "no json").unwrap();
        let settings = Settings::read(&[none.clone(), own, other.clone()], &[]).unwrap();
        assert_eq!((settings.mirrors, settings.downloads), (vec!["http://m:1".to_owned()], 3));
        assert_eq!(settings.certificates[0], none.join("certs.d"));
        let error = Settings::read(&[none.clone(), other.clone()], &[]).unwrap_err().to_string();
        assert!(error.contains("daemon.json: expected"), "{error}");
        assert_eq!(Settings::read(&[none], &[]).unwrap().mirrors, Vec::<String>::new());
        fs::write(other.join("daemon.json"), r#"{"registry-mirrors":["mirror:5000"]}"#).unwrap();
        let error = Settings::read(&[other], &[]).unwrap_err().to_string();
        assert!(error.contains("invalid mirror: \"mirror:5000\""), "{error}");
    }
}

//! `~/.docker/config.json`: where Docker keeps who its user is, and so do we, so that one login does for both.
//!
//! ```json
//! { "auths": { "localhost:5000": { "auth": "<user:password in base64>" } },
//!   "credsStore": "secretservice",
//!   "credHelpers": { "ghcr.io": "gh" } }
//! ```
//!
//! Base64 is no secret; who wants one names a program that keeps them (`docker-credential-secretservice`). All else
//! that stands in the file is kept as it is.

use super::{Credentials, host_of};
use crate::error::{Error, Result};
use crate::helper::Helper;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file, as it was read.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    content: Map<String, Value>,
}

impl File {
    /// Of this user: in `DOCKER_CONFIG`, else in `~/.docker`.
    ///
    /// # Errors
    /// [`Error::File`], if it is there and cannot be read. One that is not there is empty.
    pub fn of_user() -> Result<Self> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = variable("DOCKER_CONFIG").or_else(|| variable("HOME").map(|home| home.join(".docker")));
        let folder = folder.ok_or_else(|| Error::file("find", "~/.docker/config.json")("HOME is not set"))?;
        Self::read(&folder.join("config.json"))
    }

    /// Reads the file at this path.
    ///
    /// # Errors
    /// As [`File::of_user`].
    pub fn read(path: &Path) -> Result<Self> {
        let content = match fs::read(path) {
            Ok(bytes) if bytes.trim_ascii().is_empty() => Map::new(),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(Error::file("read", path))?,
            Err(error) if error.kind() == ErrorKind::NotFound => Map::new(),
            Err(error) => return Err(Error::file("read", path)(error)),
        };
        Ok(Self { path: path.to_owned(), content })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The program that keeps the credentials for this key. None: they stand in the file.
    ///
    /// # Errors
    /// [`Error::Helper`], if it has no name of a program.
    pub fn helper(&self, key: &str) -> Result<Option<Helper>> {
        let of_host = self.content.get("credHelpers").and_then(|all| all.get(key).or_else(|| all.get(host_of(key))));
        let name = of_host.or_else(|| self.content.get("credsStore")).and_then(Value::as_str);
        name.filter(|name| !name.is_empty()).map(Helper::new).transpose()
    }

    /// Who we are to the registry with this key. None: nobody in particular.
    ///
    /// # Errors
    /// [`Error::Helper`], [`Error::File`].
    pub fn get(&self, key: &str) -> Result<Option<Credentials>> {
        if let Some(helper) = self.helper(key)? {
            return helper.get(key);
        }
        let Some(auths) = self.content.get("auths").and_then(Value::as_object) else { return Ok(None) };
        let by_host = || auths.iter().find(|(name, _)| host_of(name) == host_of(key)).map(|(_, entry)| entry);
        match auths.get(key).or_else(by_host) {
            Some(entry) => self.read_entry(key, entry),
            None => Ok(None),
        }
    }

    fn read_entry(&self, key: &str, entry: &Value) -> Result<Option<Credentials>> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut found = Credentials {
            username: text("username"),
            password: text("password"),
            identitytoken: text("identitytoken"),
            registrytoken: text("registrytoken"),
            ..Credentials::default()
        };
        let auth = text("auth");
        if !auth.is_empty() {
            let bad =
                || Error::file("read", &self.path)(format!("Invalid auth configuration file: the auth of {key:?}"));
            let plain = STANDARD.decode(&auth).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(bad)?;
            let (user, password) = plain.split_once(':').ok_or_else(bad)?;
            (found.username, found.password) = (user.to_owned(), password.trim_end_matches('\0').to_owned());
        }
        if found == Credentials::default() {
            return Ok(None);
        }
        found.serveraddress = key.to_owned();
        Ok(Some(found))
    }

    /// All that is known, by key: for a build, which may meet any registry. A program that fails is left out.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Credentials> {
        let keys =
            |name: &str| self.content.get(name).and_then(Value::as_object).map(|all| all.keys().cloned().collect());
        let mut all: Vec<String> = keys("auths").unwrap_or_default();
        all.extend(keys("credHelpers").unwrap_or_default());
        let store = self.content.get("credsStore").and_then(Value::as_str).and_then(|name| Helper::new(name).ok());
        all.extend(store.and_then(|store| store.list().ok()).unwrap_or_default());
        all.into_iter().filter_map(|key| Some((key.clone(), self.get(&key).ok()??))).collect()
    }

    /// Keeps who we are to this registry. Returns whether it now stands in the file, and did not before, where everybody
    /// can read it who may read the file.
    ///
    /// # Errors
    /// [`Error::Helper`], [`Error::File`].
    pub fn store(&mut self, key: &str, credentials: &Credentials) -> Result<bool> {
        let _lock = self.renew()?;
        let helper = self.helper(key)?;
        let entry = match &helper {
            // That there is something is no secret.
            Some(helper) => {
                helper.store(key, credentials)?;
                json!({})
            }
            None if credentials.identitytoken.is_empty() => {
                json!({ "auth": STANDARD.encode(format!("{}:{}", credentials.username, credentials.password)) })
            }
            None => json!({
                "auth": STANDARD.encode(format!("{}:", credentials.username)),
                "identitytoken": credentials.identitytoken,
            }),
        };
        if self.auths()?.get(key) == Some(&entry) {
            return Ok(false);
        }
        self.auths()?.insert(key.to_owned(), entry);
        self.write()?;
        Ok(helper.is_none())
    }

    /// Forgets who we are to this registry. Returns whether there was anything in the file.
    ///
    /// # Errors
    /// As [`File::store`].
    pub fn erase(&mut self, key: &str) -> Result<bool> {
        let _lock = self.renew()?;
        if let Some(helper) = self.helper(key)? {
            helper.erase(key)?;
        }
        let names: Vec<String> = self.auths()?.keys().filter(|name| host_of(name) == host_of(key)).cloned().collect();
        for name in &names {
            self.auths()?.remove(name);
        }
        if names.is_empty() { Ok(false) } else { self.write().map(|()| true) }
    }

    /// Reads it once more, while nobody else of us writes it: of two logins at once, both count.
    fn renew(&mut self) -> Result<fs::File> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let failed = |error: std::io::Error| Error::file("lock", folder)(error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = fs::File::open(folder).map_err(failed)?;
        lock.lock().map_err(failed)?;
        self.content = Self::read(&self.path)?.content;
        Ok(lock)
    }

    fn auths(&mut self) -> Result<&mut Map<String, Value>> {
        let auths = self.content.entry("auths").or_insert_with(|| json!({}));
        auths.as_object_mut().ok_or_else(|| Error::file("read", &self.path)("\"auths\" is no object"))
    }

    /// The old file or the new one, and readable for its owner only.
    fn write(&self) -> Result<()> {
        // Some keep the file elsewhere, with a link to it.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let failed = |error: std::io::Error| Error::file("write", &self.path)(error);
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let mut file = tempfile::Builder::new()
            .prefix(".config.json-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(folder)
            .map_err(failed)?;
        let mut text = Vec::new();
        let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, tabs);
        serde::Serialize::serialize(&self.content, &mut serializer).map_err(|error| failed(error.into()))?;
        file.write_all(&text).map_err(failed)?;
        file.as_file().sync_data().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

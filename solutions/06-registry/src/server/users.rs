//! Who may come in: a file of users and passwords, as `htpasswd -B` writes it.
//!
//! ```text
//! ana:$2y$05$6a…
//! ```
//!
//! bcrypt is slow, so that a stolen file is of little use; a user sends their password with each request, so who was
//! right once is remembered, by a digest that is of no use to anybody else.

use super::answer::Refusal;
use crate::error::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use layers::Digest;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The hash of no password: who does not exist is to take as long as who is wrong.
const NOBODY: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
/// Remembered passwords; beyond, all are forgotten.
const REMEMBERED: usize = 1000;

/// The file.
#[derive(Debug)]
pub(super) struct Users {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    read: Option<SystemTime>,
    hashes: HashMap<String, String>,
    right: HashSet<Digest>,
}

impl Users {
    /// Reads the file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let users = Self { path: path.to_owned(), known: Mutex::default() };
        users.refresh()?;
        Ok(users)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file again if it was changed.
    fn refresh(&self) -> Result<()> {
        let changed = fs::metadata(&self.path).and_then(|status| status.modified());
        let changed = changed.map_err(Error::file("read", &self.path))?;
        if self.known().read == Some(changed) {
            return Ok(());
        }
        let text = fs::read_to_string(&self.path).map_err(Error::file("read", &self.path))?;
        let mut hashes = HashMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some((user, hash)) = line.split_once(':') else {
                return Err(Error::file("use", &self.path)("a line is not USER:HASH"));
            };
            if !["$2a$", "$2b$", "$2y$"].iter().any(|kind| hash.starts_with(kind)) {
                let why = format!("the password of {user} is not hashed with bcrypt; write it with: htpasswd -B");
                return Err(Error::file("use", &self.path)(why));
            }
            hashes.insert(user.to_owned(), hash.to_owned());
        }
        *self.known() = Known { read: Some(changed), hashes, right: HashSet::new() };
        Ok(())
    }

    /// Whether `Authorization` names somebody who may come in. Slow the first time.
    pub(super) fn admit(&self, authorization: Option<&str>) -> Result<(), Refusal> {
        if let Err(error) = self.refresh() {
            // A file that is being written: those who were known are known.
            tracing::warn!("{error}");
        }
        let refused = || Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
        let (user, password) = authorization.and_then(read).ok_or_else(refused)?;
        let (hash, shown) = {
            let known = self.known();
            let hash = known.hashes.get(&user).cloned();
            let shown = Digest::of(format!("{}\0{user}\0{password}", hash.as_deref().unwrap_or_default()).as_bytes());
            if known.right.contains(&shown) {
                return Ok(());
            }
            (hash, shown)
        };
        let right = bcrypt::verify(&password, hash.as_deref().unwrap_or(NOBODY)).unwrap_or(false);
        if !(right && hash.is_some()) {
            return Err(refused());
        }
        let mut known = self.known();
        if known.right.len() >= REMEMBERED {
            known.right.clear();
        }
        known.right.insert(shown);
        Ok(())
    }
}

/// `Basic dXNlcjpwYXNz` → `user`, `pass`.
fn read(authorization: &str) -> Option<(String, String)> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_come_in() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("htpasswd");
        let hash = |password| bcrypt::hash(password, 4).unwrap();
        fs::write(&path, format!("# users\nana:{}\n", hash("secret"))).unwrap();
        let users = Users::open(&path).unwrap();
        let says = |text: &str| users.admit(Some(&format!("Basic {}", STANDARD.encode(text)))).is_ok();
        for _ in 0..2 {
            assert!(says("ana:secret"));
            assert!(!says("ana:wrong") && !says("bob:secret") && !says("ana") && users.admit(None).is_err());
        }
        fs::write(&path, format!("bob:{}\n", hash("other"))).unwrap();
        fs::File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(says("bob:other") && !says("ana:secret"), "the file was changed");
    }

    #[test]
    fn other_hashes_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("htpasswd");
        for line in ["ana:$apr1$x$y", "ana:{SHA}x", "ana"] {
            fs::write(&path, line).unwrap();
            Users::open(&path).unwrap_err();
        }
        Users::open(&place.path().join("none")).unwrap_err();
    }
}

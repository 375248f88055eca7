//! `system check`: whether everything on disk is whole, and mending what is not.

use crate::{Engine, Error, Kind, Result};
use layers::Blobs;
use layers::check::{Findings, Problem, layout};
use std::fs::{self, OpenOptions};
use std::path::Path;

/// What a look at everything has shown.
#[derive(Debug)]
pub struct Checked {
    pub store: Findings,
    /// Of `kesako registry serve`, if there was one here.
    pub registry: Option<Findings>,
    /// All that is wrong: the store's, the registry's and the containers'.
    pub problems: Vec<Problem>,
}

impl Engine {
    /// Proves everything that is kept; with `repair`, mends what it can. What is still wrong then is told by the next check.
    ///
    /// # Errors
    /// Something cannot be read at all, or mended now.
    pub fn check(&self, repair: bool) -> Result<Checked> {
        let path = self.roots.data.join("check.lock");
        let failed =
            |error: std::io::Error| Error::new(Kind::System, format!("cannot lock {}: {error}", path.display()));
        let lock = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let store = self.store()?;
        let found = store.check(&|| self.uses())?;
        let mut problems = found.problems.clone();
        if repair {
            store.repair(&found, &|| self.uses())?;
        }
        problems.extend(self.check_records());
        let registry = self.check_registry(repair)?;
        let theirs = registry.iter().flat_map(|found| found.problems.clone());
        problems.extend(theirs.map(|one| Problem { object: format!("registry: {}", one.object), ..one }));
        Ok(Checked { store: found, registry, problems })
    }

    /// Containers whose record cannot be read: nobody else tells of them.
    fn check_records(&self) -> Vec<Problem> {
        let folder = self.roots.data.join("containers");
        let mut problems = Vec::new();
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            for name in ["config.json", "state.json"] {
                let path = entry.path().join(name);
                let Ok(bytes) = fs::read(&path) else { continue };
                if let Err(error) = serde_json::from_slice::<serde_json::Value>(&bytes) {
                    let id = entry.file_name().to_string_lossy().chars().take(12).collect::<String>();
                    problems.push(Problem {
                        object: format!("container {id}"),
                        what: format!("{} cannot be read: {error}", path.display()),
                        way_out: format!("take what is needed from {}, and remove the folder", entry.path().display()),
                    });
                }
            }
        }
        problems
    }

    fn check_registry(&self, repair: bool) -> Result<Option<Findings>> {
        let root = self.roots.data.join("registry");
        if !root.join("oci-layout").is_file() {
            return Ok(None);
        }
        // One that serves now would not hear of it.
        let idle = !repair || is_idle(&root)?;
        let found = layout(&Blobs::open(&root)?, repair && idle)?;
        match idle || found.problems.is_empty() {
            true => Ok(Some(found)),
            false => {
                let why = format!("the registry in {} is damaged, and serves: end it first", root.display());
                Err(Error::new(Kind::Conflict, why))
            }
        }
    }
}

fn is_idle(root: &Path) -> Result<bool> {
    let path = root.join("registry.lock");
    let lock = OpenOptions::new().create(true).append(true).open(&path);
    let lock = lock.map_err(|error| Error::new(Kind::System, format!("cannot open {}: {error}", path.display())))?;
    Ok(lock.try_lock().is_ok())
}

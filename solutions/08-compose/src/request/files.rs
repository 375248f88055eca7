//! Secrets and configs. What is a file of the host is mounted; what is a variable's value, or written in the compose file, is
//! copied into the container before it starts.

use crate::error::{Error, Result};
use crate::model::{FileObject, Grant, Model, Service};

/// A file to be copied into a container.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// In the container, absolute.
    pub path: String,
    pub content: String,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// What is in it is nobody's business.
impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, mode, uid, gid, .. } = self;
        write!(f, "{path} ({} bytes, {mode:04o}, {uid}:{gid})", self.content.len())
    }
}

/// One that a service was given.
pub(super) struct Given<'a> {
    /// `secret`, `config`
    pub kind: &'static str,
    pub grant: &'a Grant,
    pub object: &'a FileObject,
    /// In the container, absolute.
    pub target: String,
}

/// The secrets, then the configs.
///
/// # Errors
/// One that is not there, or that only a cluster has.
pub(super) fn given<'a>(model: &'a Model, service: &'a Service) -> Result<Vec<Given<'a>>> {
    let mut given = Vec::new();
    let kinds = [
        ("secret", &service.secrets, &model.secrets, "/run/secrets/"),
        ("config", &service.configs, &model.configs, "/"),
    ];
    for (kind, grants, objects, folder) in kinds {
        for grant in grants {
            let undefined =
                || Error::Failed(format!("service {:?} refers to undefined {kind} {}", service.name, grant.source));
            let object = objects.get(&grant.source).ok_or_else(undefined)?;
            if object.external {
                return Err(Error::Failed(format!("unsupported external {kind} {}", object.name)));
            }
            let name = if grant.target.is_empty() { &grant.source } else { &grant.target };
            let target = if name.starts_with('/') { name.clone() } else { format!("{folder}{name}") };
            given.push(Given { kind, grant, object, target });
        }
    }
    Ok(given)
}

/// Those that are copied.
///
/// # Errors
/// A variable that is not set, and what [`given`] says.
pub fn copied(model: &Model, service: &Service) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for Given { kind, grant, object, target } in given(model, service)? {
        let content = match (object.content.as_str(), object.environment.as_str()) {
            ("", "") => continue,
            ("", variable) => model.variables.get(variable).cloned().ok_or_else(|| {
                let name = &object.name;
                Error::Failed(format!("environment variable {variable:?} required by {kind} {name:?} is not set"))
            })?,
            (content, _) => content.to_owned(),
        };
        if service.read_only {
            let what = format!(
                "cannot create {kind} {:?} in read-only service {}: `file` is the sole supported option",
                object.name, service.name
            );
            return Err(Error::Failed(what));
        }
        let id = |text: &str| match text {
            "" => Ok(0),
            text => text.parse().map_err(|_| Error::Failed(format!("{kind} {:?}: no numeric id: {text}", object.name))),
        };
        let (uid, gid) = (id(&grant.uid)?, id(&grant.gid)?);
        files.push(File { path: target, content, mode: grant.mode.unwrap_or(0o444), uid, gid });
    }
    Ok(files)
}

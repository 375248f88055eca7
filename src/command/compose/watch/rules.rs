//! What is done when something beneath a path changes.

use crate::output::warn;
use ::compose::model::{Build, Service, Trigger};
use anyhow::{Context as _, Result, bail};
use daemon::client::context::{FILE, Ignore};
use std::path::{Path, PathBuf};

/// What editors and tools leave for a moment only.
const PASSING: &[&str] = &[
    "**/*___jb_old___",
    "**/*___jb_tmp___",
    "**/.idea/**",
    "**/.#*",
    "**/#*#",
    "**/4913",
    "**/*~",
    "**/.*.swp",
    "**/.*.swx",
    "**/.*.swo",
    "**/.*.swn",
    "**/.*.kate-swp",
    "**/*-go-tmp-umask",
    "**/.git",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Rebuild,
    Restart,
    Sync,
    SyncAndRestart,
    SyncAndExec,
}

/// An entry of `develop.watch`.
#[derive(Debug)]
pub(in crate::command::compose) struct Rule {
    pub(super) service: String,
    pub(super) action: Action,
    /// Of this host, without links.
    pub(super) path: PathBuf,
    /// Where it is in the container.
    target: PathBuf,
    /// What is run there afterwards.
    pub(super) command: Vec<String>,
    /// All of it is copied at the beginning.
    pub(super) initial: bool,
    /// Only what these speak of.
    include: Option<Ignore>,
    /// Not what any of these speaks of, each from its own folder.
    ignore: Vec<(PathBuf, Ignore)>,
}

/// A file that has changed, or is gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) host: PathBuf,
    pub(super) container: PathBuf,
}

impl Rule {
    /// None for what a bind mount shows in the container anyway.
    pub(super) fn of(service: &Service, trigger: &Trigger) -> Result<Option<Self>> {
        let name = &service.name;
        let action = match trigger.action.as_str() {
            "rebuild" => Action::Rebuild,
            "restart" => Action::Restart,
            "sync" => Action::Sync,
            "sync+restart" => Action::SyncAndRestart,
            "sync+exec" => Action::SyncAndExec,
            other => bail!("can't watch service {name:?} with action {other:?}"),
        };
        let command = trigger.exec.command.clone().unwrap_or_default();
        if action == Action::Rebuild && service.build.is_none() {
            bail!("can't watch service {name:?} with action rebuild without a build context");
        }
        if action == Action::SyncAndExec && command.is_empty() {
            bail!("can't watch with action \"sync+exec\" on service {name} without a command");
        }
        let path = real(Path::new(&trigger.path));
        let is_sync = matches!(action, Action::Sync | Action::SyncAndRestart | Action::SyncAndExec);
        if is_sync && trigger.target.is_empty() {
            bail!("can't watch with action {:?} on service {name} without a target", trigger.action);
        }
        let shows = |source: &str| path.starts_with(real(Path::new(source)));
        if is_sync && service.volumes.iter().any(|mount| mount.r#type == "bind" && shows(&mount.source)) {
            warn(format!(
                "path '{}' also declared by a bind mount volume, this path won't be monitored!",
                trigger.path
            ));
            return Ok(None);
        }
        let patterns = |flag: &str, patterns: &[String]| Ignore::patterns(flag, patterns.iter().map(String::as_str));
        let include = (!trigger.include.is_empty()).then(|| patterns("include", &trigger.include)).transpose()?;
        let mut ignore = vec![
            (PathBuf::from("/"), Ignore::patterns("develop.watch", PASSING.iter().copied())?),
            (path.clone(), patterns("ignore", &trigger.ignore)?),
        ];
        ignore.extend(service.build.as_ref().map(of_context).transpose()?.flatten());
        Ok(Some(Self {
            service: name.clone(),
            action,
            path,
            target: trigger.target.clone().into(),
            command,
            initial: trigger.initial_sync,
            include,
            ignore,
        }))
    }

    /// What this path is to it, if it is anything.
    pub(super) fn change(&self, path: &Path) -> Option<Change> {
        let relative = path.strip_prefix(&self.path).ok()?;
        if self.include.as_ref().is_some_and(|include| !include.verdict_of(relative).excluded) {
            return None;
        }
        let is_ignored = |(folder, ignore): &(PathBuf, Ignore)| {
            path.strip_prefix(folder).is_ok_and(|relative| ignore.verdict_of(relative).excluded)
        };
        if self.ignore.iter().any(is_ignored) {
            return None;
        }
        // Joined with nothing, a path gets a slash at its end.
        let is_itself = relative.as_os_str().is_empty();
        let container = if is_itself { self.target.clone() } else { self.target.join(relative) };
        Some(Change { host: path.to_owned(), container })
    }
}

/// The `.dockerignore` of a build's context.
fn of_context(build: &Build) -> Result<Option<(PathBuf, Ignore)>> {
    let folder = real(Path::new(&build.context));
    let dockerfile = if build.dockerfile.is_empty() { "Dockerfile" } else { &build.dockerfile };
    for path in [folder.join(format!("{dockerfile}{FILE}")), folder.join(FILE)] {
        match std::fs::read(&path) {
            Ok(text) => return Ok(Some((folder, Ignore::parse(&path.to_string_lossy(), &text)?))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
    Ok(None)
}

/// The path as the kernel tells of it, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let (mut there, mut rest) = (path.to_owned(), Vec::new());
    loop {
        if let Ok(real) = std::fs::canonicalize(&there) {
            return rest.iter().rev().fold(real, |path: PathBuf, name| path.join(name));
        }
        match there.file_name().map(ToOwned::to_owned) {
            Some(name) if there.pop() => rest.push(name),
            _ => return path.to_owned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(trigger: Trigger, build: Option<Build>) -> Rule {
        let service = Service { name: "web".into(), build, ..Service::default() };
        Rule::of(&service, &trigger).unwrap().unwrap()
    }

    #[test]
    fn what_is_ignored_is_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(root.join("src")).unwrap();
        std::fs::write(root.join(".dockerignore"), "*.md\n!src/kept.md\nsecret\n").unwrap();
        let trigger = Trigger {
            path: root.join("src").to_str().unwrap().into(),
            action: "sync".into(),
            target: "/app".into(),
            ignore: vec!["node_modules/".into(), "*.log".into()],
            ..Trigger::default()
        };
        let build = Build { context: root.to_str().unwrap().into(), ..Build::default() };
        let rule = rule(trigger.clone(), Some(build));
        let of = |rule: &Rule, path: &str| rule.change(&root.join(path)).map(|change| change.container);
        assert_eq!(of(&rule, "src/a/b.js"), Some("/app/a/b.js".into()));
        assert_eq!(of(&rule, "src/kept.md"), Some("/app/kept.md".into()));
        for ignored in
            ["src/x.log", "src/node_modules/x/y", "src/.git/index", "src/a/x.js~", "src/.x.swp", "src/4913", "other"]
        {
            assert_eq!(of(&rule, ignored), None, "{ignored}");
        }
        let trigger = Trigger { include: vec!["**/*.js".into()], ..trigger };
        let rule = self::rule(trigger, None);
        assert_eq!(of(&rule, "src/a/b.js"), Some("/app/a/b.js".into()));
        assert_eq!(of(&rule, "src/a/b.css"), None);
    }

    #[test]
    fn a_file_that_is_watched_is_itself() {
        let trigger = Trigger {
            path: "/nowhere/package.json".into(),
            action: "sync".into(),
            target: "/app/p.json".into(),
            ..Trigger::default()
        };
        let rule = rule(trigger, None);
        assert_eq!(rule.change(Path::new("/nowhere/package.json")).unwrap().container, Path::new("/app/p.json"));
        assert!(rule.change(Path::new("/nowhere/package.json2")).is_none());
    }
}

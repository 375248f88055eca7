//! Folders and all that is in them, as they change (`inotify(7)`, which knows of single folders only).

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use std::collections::{BTreeSet, HashMap};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// So long nothing must happen until a batch is complete: an editor, a checkout write many files at once.
const QUIET: Duration = Duration::from_millis(500);
/// What never rests is heard all the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// Paths that are watched.
pub(super) struct Tree {
    inotify: Inotify,
    /// Somebody waits until there is something to read.
    waiting: Option<JoinHandle<()>>,
    folders: HashMap<WatchDescriptor, PathBuf>,
    roots: Vec<PathBuf>,
}

impl Tree {
    /// Watches files and folders, and what is beneath them. They need not exist yet.
    pub(super) fn new(roots: Vec<PathBuf>) -> Result<Self> {
        let inotify = match Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK) {
            Err(Errno::EMFILE) => bail!(
                "hit OS limits creating a watcher.\nRun 'sysctl fs.inotify.max_user_instances' to check your inotify limits.\n\
                 To raise them, run 'sudo sysctl fs.inotify.max_user_instances=1024'"
            ),
            inotify => inotify.context("creating file watcher")?,
        };
        let mut tree = Self { inotify, waiting: None, folders: HashMap::new(), roots };
        tree.add_roots()?;
        Ok(tree)
    }

    /// Watches what there is. Returns what is found there.
    fn add_roots(&mut self) -> Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        for root in self.roots.clone() {
            // What is not there yet is made in a folder that is; a file may be replaced by another of its name.
            let folder = root.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned();
            self.add(folder, &mut found)?;
        }
        Ok(found)
    }

    /// Watches a folder, and those in it that matter.
    fn add(&mut self, folder: PathBuf, found: &mut BTreeSet<PathBuf>) -> Result<()> {
        let what = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_ONLYDIR
            | AddWatchFlags::IN_DONT_FOLLOW;
        let mut open = vec![folder];
        while let Some(folder) = open.pop() {
            match self.inotify.add_watch(&folder, what) {
                Ok(watch) => _ = self.folders.insert(watch, folder.clone()),
                // Gone again, or none that may be looked into.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => continue,
                Err(Errno::ENOSPC) => bail!(
                    "cannot watch {}: the limit of inotify watches is reached: run 'sudo sysctl fs.inotify.max_user_watches=524288'",
                    folder.display()
                ),
                Err(error) => return Err(error).with_context(|| format!("cannot watch {}", folder.display())),
            }
            // Listed after it is watched, nothing that is made now is missed.
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) && self.leads_to_a_root(&path) {
                    open.push(path.clone());
                }
                if self.is_watched(&path) {
                    found.insert(path);
                }
            }
        }
        Ok(())
    }

    fn leads_to_a_root(&self, folder: &Path) -> bool {
        self.roots.iter().any(|root| root.starts_with(folder) || folder.starts_with(root))
    }

    /// Whether anybody wants to know of it. Of a folder that is watched itself, only what is in it is news.
    fn is_watched(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| if path == root { !path.is_dir() } else { path.starts_with(root) })
    }

    /// The paths that have changed, once nothing more happens.
    pub(super) async fn batch(&mut self) -> Result<BTreeSet<PathBuf>> {
        let mut batch = BTreeSet::new();
        while batch.is_empty() {
            batch = self.changes().await?;
        }
        let end = Instant::now() + PATIENCE;
        while let Ok(more) = timeout_at(end.min(Instant::now() + QUIET), self.changes()).await {
            batch.append(&mut more?);
            if Instant::now() >= end {
                break;
            }
        }
        Ok(batch)
    }

    /// What has changed by now; waits until something has.
    async fn changes(&mut self) -> Result<BTreeSet<PathBuf>> {
        let events = loop {
            match self.inotify.read_events() {
                Ok(events) => break events,
                Err(Errno::EAGAIN) => self.wait().await?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error).context("cannot hear of changes"),
            }
        };
        let mut changed = BTreeSet::new();
        for event in events {
            if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                // So much that the kernel has forgotten what: it may be anything.
                changed.append(&mut self.add_roots()?);
                continue;
            }
            if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                self.folders.remove(&event.wd);
                continue;
            }
            let (Some(folder), Some(name)) = (self.folders.get(&event.wd), event.name) else { continue };
            let path = folder.join(name);
            let is_folder = event.mask.contains(AddWatchFlags::IN_ISDIR);
            if is_folder
                && event.mask.intersects(AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)
                && self.leads_to_a_root(&path)
            {
                self.add(path.clone(), &mut changed)?;
            }
            if is_folder && event.mask.contains(AddWatchFlags::IN_MOVED_FROM) {
                self.forget(&path);
            }
            if self.is_watched(&path) {
                changed.insert(path);
            }
        }
        Ok(changed)
    }

    /// Waits for a while until there is something to read. Whoever breaks this off goes on with the same wait the next time.
    async fn wait(&mut self) -> Result<()> {
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            none => {
                let file = self.inotify.as_fd().try_clone_to_owned()?;
                none.insert(tokio::task::spawn_blocking(move || {
                    let mut files = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
                    // However it ends: whether there is something is seen when it is read.
                    let _ = poll(&mut files, PollTimeout::from(1000_u16));
                }))
            }
        };
        let waited = waiting.await;
        self.waiting = None;
        Ok(waited?)
    }

    /// A folder that was moved away would tell of itself by its old name.
    fn forget(&mut self, folder: &Path) {
        let inotify = &self.inotify;
        self.folders.retain(|watch, path| {
            let stays = !path.starts_with(folder);
            if !stays {
                // One that is gone by now is forgotten, too.
                let _ = inotify.rm_watch(*watch);
            }
            stays
        });
    }
}

/// All that is beneath a path; itself, if it is no folder.
pub(super) fn beneath(path: &Path) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![path.to_owned()], Vec::new());
    while let Some(path) = open.pop() {
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                open.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
            }
            Ok(_) => found.push(path),
            Err(_) => {}
        }
    }
    found.sort();
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;

    fn names(root: &Path, batch: &BTreeSet<PathBuf>) -> Vec<String> {
        batch.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[tokio::test]
    async fn whatever_happens_beneath_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::create_dir(root.join("other")).unwrap();
        let mut tree = Tree::new(vec![root.join("src"), root.join("later/file"), root.join("one")]).unwrap();
        fs::write(root.join("src/deep/a"), "1").unwrap();
        fs::write(root.join("src/deep/a"), "2").unwrap();
        fs::write(root.join("other/b"), "").unwrap();
        fs::write(root.join("one"), "").unwrap();
        fs::create_dir_all(root.join("later")).unwrap();
        fs::write(root.join("later/file"), "").unwrap();
        fs::write(root.join("later/else"), "").unwrap();
        assert_eq!(names(&root, &tree.batch().await.unwrap()), ["later/file", "one", "src/deep/a"]);
        // A folder that comes with all that is in it, and one that goes.
        fs::create_dir_all(root.join("other/x/y")).unwrap();
        fs::write(root.join("other/x/y/z"), "").unwrap();
        fs::rename(root.join("other/x"), root.join("src/x")).unwrap();
        fs::rename(root.join("src/deep"), root.join("other/deep")).unwrap();
        assert_eq!(names(&root, &tree.batch().await.unwrap()), ["src/deep", "src/x", "src/x/y", "src/x/y/z"]);
        fs::write(root.join("other/deep/c"), "").unwrap();
        fs::write(root.join("src/x/y/w"), "").unwrap();
        fs::remove_file(root.join("src/x/y/z")).unwrap();
        assert_eq!(names(&root, &tree.batch().await.unwrap()), ["src/x/y/w", "src/x/y/z"]);
    }
}

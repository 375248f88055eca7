//! COPY and ADD: files of the context, of a stage, of an image.

use super::Making;
use super::alone::alone;
use super::files::Work;
use crate::add;
use crate::cache::{CONTENT, Key, Part};
use crate::context::Tree;
use crate::context::entry;
use crate::copy::{self, Destination, Piece, Plan, Target};
use crate::error::{Error, Result};
use crate::instruction::{Copy, Instruction, Step};
use crate::progress::Event;
use layers::Digest;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// So many files are written down one by one, for `--explain`; of more, the folders they are in.
const MOST_NAMED: usize = 256;

impl Making<'_> {
    pub(super) fn copy(&mut self, step: &Step, copy: &Copy, index: usize) -> Result<()> {
        let kind = if matches!(step.instruction, Instruction::Add(_)) { "ADD" } else { "COPY" };
        let other = copy.from.as_ref().map(|name| self.tree_of(name)).transpose()?;
        let plan = self.resolve(kind, copy, other.as_ref().unwrap_or(self.build.context), other.is_none())?;
        let content = plan.digest();
        let key = self.key(kind, copy, &plan.destination, content);
        let key = key.told(named(&plan));
        let alone = is_alone(copy).then(|| alone(&key));
        let work = Work { key, shown: self.shown(step), skeleton: None, alone };
        let destination = plan.destination.clone();
        let make = |making: &Self, root: OwnedFd, id: usize| {
            let notes = |notes: Vec<String>| notes.into_iter().for_each(|note| making.note(id, note));
            let owner = copy.chown.as_ref().map(|chown| copy::owner(root.as_fd(), chown)).transpose()?;
            let ids = owner.as_ref().map(|owner| (owner.uid, owner.gid));
            notes(owner.map(|owner| owner.notes).unwrap_or_default());
            let (time, cancel) = (making.build.settings.time, Some(making.build.cancel));
            let written = plan.write(Target { root: root.as_fd(), owner: ids, time, cancel })?;
            notes(written.notes);
            // Somebody worked on the files meanwhile: what was copied is known by what it is.
            let same = written.digest == content;
            Ok((!same).then(|| making.key(kind, copy, &destination, written.digest)))
        };
        let layer = self.files(step, index, work, make)?;
        self.history(told(kind, copy), !layer);
        Ok(())
    }

    /// Finds out what is to be copied. The first who looks at the context has the most to read, which is a step of its own.
    fn resolve<'t>(&self, kind: &str, copy: &Copy, tree: &'t Tree, is_context: bool) -> Result<Plan<'t>> {
        let build = self.build;
        let cwd = &self.state.image.config.working_dir;
        let resolve = || match kind {
            "ADD" => add::resolve(copy, cwd, tree, build.folder, Some(build.cancel)),
            _ => copy::resolve(copy, cwd, tree, Some(build.cancel)),
        };
        if !is_context || build.loaded.swap(true, Ordering::Relaxed) {
            return resolve();
        }
        let (id, begun) = (build.counter.next(), Instant::now());
        self.tell(Event::Step { id, name: "[internal] load build context".to_owned() });
        let plan = resolve();
        let seconds = begun.elapsed().as_secs_f64();
        match &plan {
            Ok(plan) => {
                let what = "transferring context:".to_owned();
                self.tell(Event::Status { id, what, current: plan.bytes(), total: None });
                self.tell(Event::Done { id, seconds });
            }
            Err(error) => self.tell(Event::Failed { id, seconds, error: error.to_string() }),
        }
        plan
    }

    /// What `--from` names.
    fn tree_of(&self, name: &str) -> Result<Tree> {
        let source = self.sources.source(name).map_err(Error::Source)?;
        Tree::source(source, name, Some(self.build.store.pins().folder()))
    }

    fn key(&self, kind: &str, copy: &Copy, destination: &Destination, content: Digest) -> Key {
        let mut key = Key::new(self.state.key, kind);
        key.part("destination", destination.path.as_os_str().as_encoded_bytes());
        key.part("kind of destination", [u8::from(destination.folder)]);
        key.part("--chown", copy.chown.as_deref().unwrap_or_default());
        key.part("--chmod", copy.chmod.as_deref().unwrap_or_default());
        key.part("--parents", [u8::from(copy.parents)]);
        key.part("--link", [u8::from(is_alone(copy))]);
        key.part("time of what is written", self.build.settings.time.to_string());
        key.digest(CONTENT, content);
        key
    }
}

/// Whether the layer is made without a look at what is below: no link there leads the destination elsewhere. Only names of
/// users have to be looked up.
fn is_alone(copy: &Copy) -> bool {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    copy.link && copy.chown.as_ref().is_none_or(|chown| chown.split(':').all(is_number))
}

/// The files that are copied, by name, and their digests. Of many, the folders they are in.
fn named(plan: &Plan<'_>) -> Vec<Part> {
    let mut files: Vec<(PathBuf, Digest)> = Vec::new();
    for piece in &plan.pieces {
        match piece {
            Piece::Files(selection) => files.extend(
                selection
                    .entries
                    .iter()
                    .map(|found| (found.below(&selection.base), entry::digest(std::slice::from_ref(found)))),
            ),
            Piece::Archive(archive) => files.push((archive.path().to_path_buf(), archive.digest())),
            Piece::Download(download) => files.push((PathBuf::from(download.name()), download.digest())),
            Piece::Text { name, content } => files.push((PathBuf::from(name), Digest::of(content))),
        }
    }
    files.sort();
    let deepest = files.iter().map(|(path, _)| path.components().count()).max().unwrap_or_default();
    for depth in (1..=deepest).rev() {
        let groups = grouped(&files, depth);
        if groups.len() <= MOST_NAMED {
            return groups;
        }
    }
    Vec::new()
}

fn grouped(files: &[(PathBuf, Digest)], depth: usize) -> Vec<Part> {
    let mut groups: Vec<(PathBuf, bool, Vec<String>)> = Vec::new();
    for (path, digest) in files {
        let whole = path.components().count() <= depth;
        let name: PathBuf = path.components().take(depth).collect();
        match groups.last_mut().filter(|(last, ..)| *last == name) {
            Some((_, folder, digests)) => {
                *folder = true;
                digests.push(digest.to_string());
            }
            None => groups.push((name, !whole, vec![digest.to_string()])),
        }
    }
    let part = |(name, folder, digests): (PathBuf, bool, Vec<String>)| {
        let kind = if folder { "folder" } else { "file" };
        Part(format!("{kind} {}", name.display()), Digest::of(digests.concat().as_bytes()))
    };
    groups.into_iter().map(part).collect()
}

/// As BuildKit writes it into the history.
fn told(kind: &str, copy: &Copy) -> String {
    let mut words = vec![kind.to_owned()];
    words.extend(copy.parents.then(|| "--parents".to_owned()));
    words.extend(copy.chown.iter().map(|chown| format!("--chown={chown}")));
    words.extend(copy.chmod.iter().map(|chmod| format!("--chmod={chmod}")));
    words.extend(copy.sources.iter().cloned());
    words.extend(copy.heredocs.iter().map(|heredoc| format!("<<{}", heredoc.name)));
    words.push(copy.destination.clone());
    words.join(" ") + " # buildkit"
}

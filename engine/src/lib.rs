//! The assembly: a container's life from create to remove, its state on disk, and the shim that owns it while it runs.
//! (contract skeleton: the bodies are being written)
#![allow(clippy::todo, clippy::unimplemented, missing_docs, unused_variables)]

pub mod api;
mod error;

pub use error::{Error, Kind, Result};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// `{"label": ["a=b"], …}`: Docker's filters, as every list and prune takes them.
pub type Filters = BTreeMap<String, Vec<String>>;

/// Where everything lives.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/var/lib/kesako`, rootless `$XDG_DATA_HOME/kesako`.
    pub data: PathBuf,
    /// `/run/kesako`, rootless `$XDG_RUNTIME_DIR/kesako`.
    pub run: PathBuf,
}

impl Roots {
    /// From `--root`/`KESAKO_ROOT` (then `DIR` and `DIR/run`), else the defaults of this user.
    pub fn find(root: Option<&std::path::Path>) -> Result<Self> {
        todo!()
    }
}

/// To be called first thing in `main`, while single-threaded. Never returns when this process was started as a shim
/// (argv says so). As an ordinary user, enters a user and mount namespace in which it is root.
pub fn bootstrap() -> Result<()> {
    todo!()
}

/// The engine. Cheap to make; all state is on disk. Every method blocks; call from a thread that may.
#[derive(Debug)]
pub struct Engine {
    pub roots: Roots,
}

/// The streams of an attach, in Docker's wire format: with a terminal, raw bytes both ways; without, the container's
/// output comes as frames of 8 bytes header (stream, 0, 0, 0, big-endian length) and data, and stdin goes raw.
/// Shutting down the writing half is the end of stdin; closing the socket detaches.
#[derive(Debug)]
pub struct Attached {
    pub stream: UnixStream,
    pub tty: bool,
}

#[derive(Clone, Debug, Default)]
pub struct AttachOptions {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Keep the stream open and follow.
    pub stream: bool,
    /// Replay the log first.
    pub logs: bool,
    pub detach_keys: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    pub stdout: bool,
    pub stderr: bool,
    pub follow: bool,
    pub timestamps: bool,
    /// Only the last so many lines; None is all.
    pub tail: Option<usize>,
    /// `1700000000.123456789` or RFC 3339.
    pub since: Option<String>,
    pub until: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitCondition {
    NotRunning,
    NextExit,
    Removed,
}

#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    pub all: bool,
    pub limit: Option<usize>,
    pub size: bool,
    pub filters: Filters,
}

#[derive(Clone, Debug, Default)]
pub struct RemoveOptions {
    pub force: bool,
    pub volumes: bool,
}

#[derive(Clone, Debug, Default)]
pub struct CommitOptions {
    pub repo: String,
    pub tag: String,
    pub comment: String,
    pub author: String,
    pub pause: bool,
    /// Dockerfile instructions: `CMD …`, `ENV …`
    pub changes: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    pub repo: String,
    pub tag: String,
    pub message: String,
    pub changes: Vec<String>,
    pub platform: String,
}

impl Engine {
    /// Opens the roots, making them where they are missing, and clears what dead shims left.
    pub fn open(roots: Roots) -> Result<Self> {
        todo!()
    }

    // Containers. `id` is an ID, an unambiguous prefix of one, or a name.

    pub fn create(&self, name: Option<&str>, request: api::CreateRequest) -> Result<api::CreateResponse> {
        todo!()
    }
    pub fn start(&self, id: &str) -> Result<()> {
        todo!()
    }
    /// Seconds of grace (None: the container's own, else 10; negative: for ever), then SIGKILL.
    pub fn stop(&self, id: &str, signal: Option<&str>, grace: Option<i64>) -> Result<()> {
        todo!()
    }
    pub fn restart(&self, id: &str, signal: Option<&str>, grace: Option<i64>) -> Result<()> {
        todo!()
    }
    pub fn kill(&self, id: &str, signal: Option<&str>) -> Result<()> {
        todo!()
    }
    pub fn pause(&self, id: &str) -> Result<()> {
        todo!()
    }
    pub fn unpause(&self, id: &str) -> Result<()> {
        todo!()
    }
    pub fn rename(&self, id: &str, name: &str) -> Result<()> {
        todo!()
    }
    pub fn remove(&self, id: &str, options: &RemoveOptions) -> Result<()> {
        todo!()
    }
    pub fn list(&self, options: &ListOptions) -> Result<Vec<api::ContainerSummary>> {
        todo!()
    }
    pub fn inspect(&self, id: &str, size: bool) -> Result<api::ContainerInspect> {
        todo!()
    }
    /// Before the start too: the streams are then handed to the shim by [`Engine::start`] in this same process.
    pub fn attach(&self, id: &str, options: &AttachOptions) -> Result<Attached> {
        todo!()
    }
    pub fn resize(&self, id: &str, height: u16, width: u16) -> Result<()> {
        todo!()
    }
    /// Bytes in Docker's wire format (frames, or raw with a terminal); ends at the end of the log, or of the container
    /// when following. Dropping it stops it.
    pub fn logs(&self, id: &str, options: &LogOptions) -> Result<(Box<dyn Read + Send>, bool)> {
        todo!()
    }
    /// Checks the container now, and returns what blocks until the condition holds (so that a caller can answer the
    /// request's head before it blocks).
    pub fn wait(&self, id: &str, condition: WaitCondition) -> Result<Waiting> {
        todo!()
    }
    pub fn top(&self, id: &str, ps_args: &str) -> Result<api::TopResponse> {
        todo!()
    }
    pub fn changes(&self, id: &str) -> Result<Vec<api::FilesystemChange>> {
        todo!()
    }
    pub fn export(&self, id: &str, to: &mut dyn Write) -> Result<()> {
        todo!()
    }
    pub fn prune_containers(&self, filters: &Filters) -> Result<api::ContainersPruned> {
        todo!()
    }

    // Exec.

    pub fn exec_create(&self, container: &str, config: api::ExecConfig) -> Result<api::IdResponse> {
        todo!()
    }
    /// None when detached.
    pub fn exec_start(&self, exec: &str, start: &api::ExecStart) -> Result<Option<Attached>> {
        todo!()
    }
    pub fn exec_inspect(&self, exec: &str) -> Result<api::ExecInspect> {
        todo!()
    }
    pub fn exec_resize(&self, exec: &str, height: u16, width: u16) -> Result<()> {
        todo!()
    }

    // Images. `name` is a reference, an ID or an unambiguous prefix of one.

    pub fn images(&self, all: bool, digests: bool, filters: &Filters) -> Result<Vec<api::ImageSummary>> {
        todo!()
    }
    pub fn image_inspect(&self, name: &str) -> Result<api::ImageInspect> {
        todo!()
    }
    pub fn image_history(&self, name: &str) -> Result<Vec<api::HistoryEntry>> {
        todo!()
    }
    pub fn tag(&self, name: &str, repo: &str, tag: &str) -> Result<()> {
        todo!()
    }
    pub fn image_remove(&self, name: &str, force: bool, no_prune: bool) -> Result<Vec<api::ImageDeleted>> {
        todo!()
    }
    pub fn prune_images(&self, filters: &Filters) -> Result<api::ImagesPruned> {
        todo!()
    }
    pub fn commit(&self, container: &str, options: &CommitOptions, config: Option<api::ContainerConfig>) -> Result<api::IdResponse> {
        todo!()
    }
    pub fn load(&self, from: &mut dyn Read, progress: &mut dyn FnMut(api::Progress)) -> Result<()> {
        todo!()
    }
    pub fn save(&self, names: &[String], to: &mut dyn Write) -> Result<()> {
        todo!()
    }
    pub fn import(&self, from: &mut dyn Read, options: &ImportOptions) -> Result<api::IdResponse> {
        todo!()
    }

    // The engine itself.

    pub fn version(&self) -> api::Version {
        todo!()
    }
    pub fn info(&self) -> Result<api::Info> {
        todo!()
    }
    /// Past events since `since` and those to come, until dropped or `until` (seconds since 1970).
    pub fn events(&self, since: Option<f64>, until: Option<f64>, filters: Filters) -> Result<Box<dyn Iterator<Item = api::Event> + Send>> {
        todo!()
    }
}

/// A wait that has begun.
#[derive(Debug)]
pub struct Waiting {}

impl Waiting {
    /// Blocks.
    pub fn finish(self) -> Result<api::WaitResponse> {
        todo!()
    }
}

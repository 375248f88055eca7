//! How the commands of a build are contained: one short-lived process each, which owns the command while it runs.
//!
//! The engine's own process has many threads and must not clone itself into a container; it executes itself again
//! (`step`), listens to what the command writes, and hears how it ended.

use super::step::{self, Letter, Shown};
use super::stubs::Stubs;
use crate::api::{ContainerConfig, CreateRequest, HostConfig};
use crate::container::id::ContainerId;
use crate::container::record::{Container, Record};
use crate::create::validate;
use crate::network::wishes;
use crate::{Engine, Error, Result, explain, reexec, shim};
use build::cancel::Cancel;
use build::instruction::Network;
use build::progress::Stream;
use build::run::{Mount, Process, Run, Source};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use process::cgroup::Cgroup;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What BuildKit calls the host of a build's commands.
const HOSTNAME: &str = "buildkitsandbox";

/// Runs commands for one build.
pub(super) struct Runner<'a> {
    engine: &'a Engine,
    /// What lies below all layers, so that a container's usual mounts find their places.
    skeleton: PathBuf,
    /// A folder of this build's own: each step has one in it, named by its ID.
    folder: &'a Path,
    cancel: &'a Cancel,
    /// Whether a command was on the default network.
    on_bridge: AtomicBool,
}

impl Run for Runner<'_> {
    fn skeleton(&self) -> Option<&Path> {
        Some(&self.skeleton)
    }

    fn run(&self, process: Process, output: &mut dyn FnMut(Stream, &str)) -> std::result::Result<i32, String> {
        self.contain(process, output).map_err(|error| error.message)
    }
}

impl<'a> Runner<'a> {
    pub(super) fn new(engine: &'a Engine, folder: &'a Path, cancel: &'a Cancel) -> Result<Self> {
        Ok(Self { engine, skeleton: engine.skeleton()?, folder, cancel, on_bridge: AtomicBool::new(false) })
    }

    /// No more commands: what they leave of the network is for nobody.
    pub(super) fn end(&self) {
        if self.on_bridge.swap(false, Ordering::Relaxed)
            && let Err(error) = self.engine.leave_default_network()
        {
            tracing::warn!("the default network, after a build: {error}");
        }
    }

    fn contain(&self, process: Process, output: &mut dyn FnMut(Stream, &str)) -> Result<i32> {
        let mut stubs = Stubs::default();
        let root = process.root.try_clone().map_err(|e| Error::system("begin the step", e))?;
        let made = place_mounts(&root, &process.mounts, &mut stubs);
        let outcome = made.and_then(|()| self.begin(process)).and_then(|step| {
            let code = step.listen(self.cancel, output);
            step.end(self.engine).and(code)
        });
        let cleared = stubs.clear().map_err(|e| Error::system("clear the mount points of the step away", e));
        outcome.and_then(|code| cleared.map(|()| code))
    }

    fn begin(&self, process: Process) -> Result<Step> {
        let trouble = |e: std::io::Error| Error::system("begin the step", e);
        let id = ContainerId::random();
        let container = step::container(&id, self.folder);
        fs::create_dir(&container.folder).map_err(trouble)?;
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|e| trouble(e.into()));
        let ((stdout, their_stdout), (stderr, their_stderr)) = (pipe()?, pipe()?);
        let (report, their_report) = UnixStream::pair().map_err(trouble)?;
        let record = record(self.engine, &id, &process)?;
        if !record.networks.is_empty() {
            self.on_bridge.store(true, Ordering::Relaxed);
        }
        let letter = Letter {
            parent: nix::unistd::getpid().as_raw(),
            data: self.engine.roots.data.clone(),
            run: self.engine.roots.run.clone(),
            folder: self.folder.to_owned(),
            root: process.root.as_raw_fd(),
            stdout: their_stdout.as_raw_fd(),
            stderr: their_stderr.as_raw_fd(),
            report: their_report.as_raw_fd(),
            trees: process.mounts.iter().filter_map(shown).collect(),
            explain: explain::wanted(),
            record,
        };
        let pid = reexec::spawn(step::NAME, id.short(), &letter, false).map_err(trouble)?;
        Ok(Step { container, pid, outputs: [(Stream::Stdout, stdout), (Stream::Stderr, stderr)], report })
    }
}

/// Places for what is mounted, where the root lacks them. Beneath what is mounted anyway they are made there.
fn place_mounts(root: &OwnedFd, mounts: &[Mount], stubs: &mut Stubs) -> Result<()> {
    let covered = |target: &Path| ["/dev", "/proc", "/sys"].iter().any(|folder| target.starts_with(folder));
    for mount in mounts {
        let target = Path::new(&mount.target);
        if covered(target) {
            continue;
        }
        is_folder(&mount.source)
            .and_then(|folder| stubs.make(root.as_fd(), target, folder))
            .map_err(|e| Error::system(format!("make a place for the mount on {}", mount.target), e))?;
    }
    Ok(())
}

fn is_folder(source: &Source) -> rustix::io::Result<bool> {
    let status = match source {
        Source::Tmpfs { .. } => return Ok(true),
        Source::Tree(tree) => fstat(tree)?,
        Source::Within { tree, path } => {
            let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
            fstat(openat2(tree, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)?)?
        }
    };
    Ok(FileType::from_raw_mode(status.st_mode).is_dir())
}

/// A command that runs.
struct Step {
    /// The step as a container.
    container: Container,
    pid: Pid,
    outputs: [(Stream, OwnedFd); 2],
    report: UnixStream,
}

impl Step {
    /// Passes on what the command writes until nobody writes any more, and returns its exit code.
    fn listen(&self, cancel: &Cancel, output: &mut dyn FnMut(Stream, &str)) -> Result<i32> {
        let mut open: Vec<(&(Stream, OwnedFd), Text)> = self.outputs.iter().map(|out| (out, Text::default())).collect();
        let mut buffer = vec![0; 32 * 1024];
        while !open.is_empty() {
            let mut fds: Vec<_> = open.iter().map(|((_, fd), _)| PollFd::new(fd, PollFlags::IN)).collect();
            fds.push(PollFd::new(cancel, PollFlags::IN));
            match poll(&mut fds, None) {
                Err(Errno::INTR) => continue,
                done => done.map_err(|e| Error::system("listen to the step", e))?,
            };
            let mut ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            if ready.pop() == Some(true) {
                return Err(Error::new(crate::Kind::System, "context canceled"));
            }
            let mut ready = ready.into_iter();
            open.retain_mut(|((stream, fd), text)| {
                if ready.next() != Some(true) {
                    return true;
                }
                match rustix::io::read(fd, &mut buffer) {
                    Err(Errno::INTR) => true,
                    Ok(count @ 1..) => {
                        text.take(&buffer[..count], &mut |text| output(*stream, text));
                        true
                    }
                    Ok(_) | Err(_) => {
                        text.end(&mut |text| output(*stream, text));
                        false
                    }
                }
            });
        }
        let died = || Error::system("run the command", "its process was killed from outside");
        let answer = shim::report(&self.report)?.ok_or_else(died)?;
        if let Some(why) = answer.why {
            output(Stream::Stderr, &format!("{why}\n"));
        }
        answer.exit_code.ok_or_else(died)
    }

    /// Waits until nothing of it is left. If the command still runs, it is killed.
    fn end(self, engine: &Engine) -> Result<()> {
        drop(self.report);
        // It is our child and not reaped yet, so the number is its own; it may have ended by itself.
        let _ended = kill(self.pid, Signal::SIGKILL);
        while waitpid(self.pid, None) == Err(nix::errno::Errno::EINTR) {}
        // Init dies with its parent, and all others with init. Their ends of the pipes tell when.
        self.outputs.iter().for_each(|(_, output)| wait_for_end(output));
        clear_away(engine, &self.container)?;
        let folder = &self.container.folder;
        fs::remove_dir_all(folder).map_err(|e| Error::system(format!("remove {}", folder.display()), e))
    }
}

/// Reads a pipe to its end, which is near; but not for ever.
fn wait_for_end(output: &OwnedFd) {
    let patience = Timespec { tv_sec: 2, tv_nsec: 0 };
    let mut buffer = [0; 4096];
    while poll(&mut [PollFd::new(output, PollFlags::IN)], Some(&patience)).is_ok_and(|count| count > 0) {
        // An error is an end, too.
        if rustix::io::read(output, &mut buffer).unwrap_or(0) == 0 {
            return;
        }
    }
}

/// Removes the cgroup of a step, with all that may be left in it, and gives back what it had of its network.
pub(super) fn clear_away(engine: &Engine, step: &Container) -> Result<()> {
    let cgroup = Cgroup::open(step.id.as_str());
    if !cgroup.is_empty() {
        cgroup.kill().and_then(|()| cgroup.remove()).map_err(|e| Error::system("remove the cgroup of a step", e))?;
    }
    engine.release_networks_of(step)
}

fn shown(mount: &Mount) -> Option<Shown> {
    let (tree, within) = match &mount.source {
        Source::Tree(tree) => (tree, None),
        Source::Within { tree, path } => (tree, Some(path.clone())),
        Source::Tmpfs { .. } => return None,
    };
    Some(Shown { target: mount.target.clone(), source: tree.as_raw_fd(), within, readonly: mount.readonly })
}

/// The command as a container that does nothing else, so that it is contained exactly as one.
fn record(engine: &Engine, id: &ContainerId, process: &Process) -> Result<Record> {
    let mut tmpfs = BTreeMap::new();
    for mount in &process.mounts {
        if let Source::Tmpfs { size } = &mount.source {
            let size = size.map(|size| format!("size={size}"));
            let options = ["exec", "suid", "dev"].map(str::to_owned).into_iter().chain(size);
            let options = options.chain(mount.readonly.then(|| "ro".to_owned()));
            tmpfs.insert(mount.target.clone(), options.collect::<Vec<_>>().join(","));
        }
    }
    let mut host_config = HostConfig {
        network_mode: match process.network {
            Network::Default => String::new(),
            Network::None => "none".to_owned(),
            Network::Host => "host".to_owned(),
        },
        extra_hosts: Some(extra_hosts(process)),
        tmpfs: Some(tmpfs),
        auto_remove: true,
        ..HostConfig::default()
    };
    validate::fill_defaults(&mut host_config);
    let config = ContainerConfig {
        hostname: HOSTNAME.to_owned(),
        user: process.user.clone(),
        // A container has its name in its environment, the commands of a build have not: a bare name takes it away.
        env: Some([vec!["HOSTNAME".to_owned()], process.env.clone()].concat()),
        working_dir: process.cwd.clone(),
        ..ContainerConfig::default()
    };
    let request = CreateRequest { config, host_config, networking_config: None };
    let networks = wishes(engine, &request)?;
    let CreateRequest { config, host_config, .. } = request;
    let mut args = process.args.iter().cloned();
    Ok(Record {
        id: id.clone(),
        name: String::new(),
        created: String::new(),
        image_id: String::new(),
        layers: Vec::new(),
        path: args.next().unwrap_or_default(),
        args: args.collect(),
        config,
        host_config,
        mount_points: Vec::new(),
        networks,
    })
}

/// The user's, and itself, which it should find without asking anybody.
fn extra_hosts(process: &Process) -> Vec<String> {
    let own = (process.network != Network::Host).then(|| format!("{HOSTNAME}:127.0.0.1"));
    own.into_iter().chain(process.add_hosts.iter().cloned()).collect()
}

/// Bytes as text. A character may come in two pieces.
#[derive(Default)]
struct Text {
    begun: Vec<u8>,
}

impl Text {
    fn take(&mut self, bytes: &[u8], tell: &mut dyn FnMut(&str)) {
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(_) => self.begun.len(),
            // Only the last few bytes may still become a character.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.begun.len(),
        };
        let rest = self.begun.split_off(whole);
        let whole = std::mem::replace(&mut self.begun, rest);
        if !whole.is_empty() {
            tell(&String::from_utf8_lossy(&whole));
        }
    }

    fn end(&mut self, tell: &mut dyn FnMut(&str)) {
        if !self.begun.is_empty() {
            tell(&String::from_utf8_lossy(&std::mem::take(&mut self.begun)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_may_come_in_pieces() {
        let mut text = Text::default();
        let mut heard = Vec::new();
        for piece in [&b"caf\xc3"[..], b"\xa9 ", b"\xf0\x9f", b"\xa6\x80", b"\xff!", b"\xe2\x82"] {
            text.take(piece, &mut |text| heard.push(text.to_owned()));
        }
        text.end(&mut |text| heard.push(text.to_owned()));
        assert_eq!(heard, ["caf", "é ", "🦀", "\u{fffd}!", "\u{fffd}"]);
    }
}

//! A container's cgroup: the set of its processes, and the limits on it (cgroups(7)).
//!
//! Where there is a v2 tree, every container has a folder in it: that costs next to nothing, since a process can be
//! born inside (clone3(2), `CLONE_INTO_CGROUP`), and one file then freezes or kills them all. A v1 controller is joined
//! only where a limit needs it: moving a process there makes the kernel wait for every processor, some 10 ms on a quiet
//! machine.

mod files;
mod hierarchy;
mod limits;
mod stats;
mod unified;

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::{Error, Result, device_rules, oci};
use files::{collect_processes, explain_mkdir, open_procs, read, remove_tree, write};
use hierarchy::Controller;
use limits::Limit;
pub use stats::Stats;
use unified::{Unified, has_controller};

/// A container's cgroup: a folder in the unified (v2) tree if there is one, and one for each v1 controller that a limit
/// needs.
#[derive(Debug)]
pub struct Cgroup {
    name: String,
    unified: Option<Unified>,
    v1: Vec<(Controller, PathBuf)>,
}

/// Which of these limits [`Cgroup::create`] will pass over, in Docker's words: for whoever must say so before there is
/// a group.
///
/// # Errors
/// A limit that makes no sense.
pub fn passed_over(resources: &oci::LinuxResources) -> Result<Vec<&'static str>> {
    let limits = limits::limits(resources)?;
    let passed_over = limits.iter().filter(|limit| limit.discarded.is_some() && !limit.lifts && !is_known(limit));
    Ok(passed_over.filter_map(|limit| limit.discarded).collect())
}

/// Whether the kernel has the files. At the top of v2's tree there are none to look for: what it has in some version is
/// taken for granted.
fn is_known(limit: &Limit) -> bool {
    match hierarchy::unified() {
        Some(mount) if has_controller(&mount, limit.controller) => !limit.v2.is_empty(),
        _ => hierarchy::v1(limit.controller)
            .is_some_and(|mount| limit.v1.iter().all(|(file, _)| mount.join(file).exists())),
    }
}

impl Cgroup {
    /// Makes the cgroup `/kesako/<name>`, and says what limits were passed over (see [`passed_over`]).
    ///
    /// # Errors
    /// A limit was asked for and nothing on this host can enforce it. Without a limit, a user who may not make cgroups
    /// gets one that holds nothing.
    pub fn create(name: &str, resources: &oci::LinuxResources) -> Result<(Self, Vec<String>)> {
        let limits = limits::limits(resources)?;
        let mut cgroup = Self { name: name.to_owned(), unified: None, v1: vec![] };
        match cgroup.fill(&limits, resources.devices().as_deref().unwrap_or_default()) {
            Ok(warnings) => Ok((cgroup, warnings)),
            Err(error) => {
                // Nothing has joined it yet, so nothing should keep the folders; and the first error says more.
                if let Err(remains) = cgroup.remove() {
                    tracing::warn!("{remains}");
                }
                Err(error)
            }
        }
    }

    fn fill(&mut self, limits: &[Limit], devices: &[oci::LinuxDeviceCgroup]) -> Result<Vec<String>> {
        self.unified = Unified::create(&self.name);
        if self.unified.is_none() {
            // Without v2 some v1 tree must tell which processes there are; this one can also stop them.
            self.v1_folder(Controller::Freezer).ok();
        }
        let warnings = self.limit(limits)?;
        if !devices.is_empty() && device_rules::forbid_anything(devices) {
            self.limit_devices(devices)?;
        }
        Ok(warnings)
    }

    /// Finds the cgroup of a container that runs, or what one left behind.
    pub fn open(name: &str) -> Self {
        let controllers = [
            Controller::Memory,
            Controller::Cpu,
            Controller::Cpuset,
            Controller::Pids,
            Controller::Devices,
            Controller::Freezer,
        ];
        let v1 = controllers.into_iter().filter_map(|controller| {
            let mount = hierarchy::v1(controller)?;
            Some((controller, hierarchy::find(&mount, Some(controller), name)?))
        });
        let unified = hierarchy::unified().and_then(|mount| hierarchy::find(&mount, None, name));
        Self { name: name.to_owned(), unified: unified.and_then(|path| Unified::open(path).ok()), v1: v1.collect() }
    }

    /// Names of all cgroups of Kesako in the v2 tree (or, without one, in v1's freezer): for whoever clears up after a
    /// crash.
    pub fn list() -> Vec<String> {
        match (hierarchy::unified(), hierarchy::v1(Controller::Freezer)) {
            (Some(mount), _) => hierarchy::names(&mount, None),
            (None, Some(mount)) => hierarchy::names(&mount, Some(Controller::Freezer)),
            (None, None) => vec![],
        }
    }

    /// The folder for clone3(2)'s `CLONE_INTO_CGROUP`.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified.as_ref().map(|unified| unified.folder.as_fd())
    }

    /// Whether there is no group at all (an ordinary user to whom nothing was delegated).
    pub fn is_empty(&self) -> bool {
        self.unified.is_none() && self.v1.is_empty()
    }

    /// Files of the groups that `CLONE_INTO_CGROUP` does not reach (v1 controllers): a process joins by writing `0` to
    /// each, before exec. So nobody has to wait for anybody.
    pub fn joins(&self) -> Result<Vec<OwnedFd>> {
        self.v1_folders().into_iter().map(|folder| open_procs(folder).map(OwnedFd::from)).collect()
    }

    /// Moves a process, with all its threads, into every group.
    pub fn add(&self, pid: i32) -> Result<()> {
        self.folders().into_iter().try_for_each(|folder| write(folder, "cgroup.procs", &pid.to_string()))
    }

    /// All processes in the cgroup and beneath it, as this process's PID namespace numbers them.
    pub fn processes(&self) -> Result<Vec<i32>> {
        let mut pids = vec![];
        if let Some(folder) = self.folders().first() {
            collect_processes(folder, &mut pids)?;
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Stops every process where it is (`docker pause`). Returns when all have stopped.
    pub fn freeze(&self) -> Result<()> {
        tracing::info!(
            target: "explain", man = "cgroups(7)", shell = "echo 1 > /sys/fs/cgroup/…/cgroup.freeze",
            "stopping every process of the container where it is"
        );
        match self.freezer()? {
            (folder, true) => {
                write(folder, "cgroup.freeze", "1")?;
                self.wait_until("frozen", || read(folder, "cgroup.events").is_ok_and(|text| text.contains("frozen 1")))
            }
            (folder, false) => {
                write(folder, "freezer.state", "FROZEN")?;
                self.wait_until("frozen", || read(folder, "freezer.state").is_ok_and(|state| state.trim() == "FROZEN"))
            }
        }
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        match self.freezer()? {
            (folder, true) => write(folder, "cgroup.freeze", "0"),
            (folder, false) => write(folder, "freezer.state", "THAWED"),
        }
    }

    /// SIGKILL to every process, frozen or not. They may take a moment to be gone.
    ///
    /// # Errors
    /// Some are still there after half a second, where the kernel cannot kill all of them at once.
    pub fn kill(&self) -> Result<()> {
        if let Some(unified) = &self.unified
            && write(&unified.path, "cgroup.kill", "1").is_ok()
        {
            return Ok(());
        }
        self.kill_each()
    }

    /// Before Linux 5.14, one by one; what is born meanwhile is found in the next round.
    fn kill_each(&self) -> Result<()> {
        let mut survivors = vec![];
        for _ in 0..100 {
            survivors = self.processes()?;
            if survivors.is_empty() {
                return Ok(());
            }
            for pid in survivors.iter().filter_map(|pid| rustix::process::Pid::from_raw(*pid)) {
                // It may be gone already, which is all that is wanted.
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
            }
            // Frozen, they would not die; without a freezer, nothing has frozen them.
            if self.freezer().is_ok() {
                self.thaw()?;
            }
            sleep(Duration::from_millis(5));
        }
        Err(Error::Survivors { group: self.name.clone(), pids: survivors })
    }

    /// How many processes the kernel has killed for want of memory.
    pub fn oom_kills(&self) -> u64 {
        stats::oom_kills(self)
    }

    /// What the container uses right now.
    pub fn stats(&self) -> Result<Stats> {
        Ok(self.stats_of(&self.processes()?))
    }

    /// The same, where somebody knows the processes better: an ordinary user's container may have no group at all.
    pub fn stats_of(&self, pids: &[i32]) -> Stats {
        stats::stats(self, pids)
    }

    /// Changes the limits of a running container, and moves its processes into the groups that takes.
    pub fn update(&mut self, resources: &oci::LinuxResources) -> Result<Vec<String>> {
        let before = self.v1.len();
        let warnings = self.limit(&limits::limits(resources)?)?;
        for (_, folder) in &self.v1[before..] {
            for pid in self.processes()? {
                write(folder, "cgroup.procs", &pid.to_string())?;
            }
        }
        Ok(warnings)
    }

    /// Removes the folders; the parent, too, when this was the last.
    pub fn remove(self) -> Result<()> {
        for folder in self.folders() {
            remove_tree(folder)?;
            if let Some(parent) = folder.parent() {
                // Fails, as it should, while another container has its group there.
                fs::remove_dir(parent).ok();
            }
        }
        Ok(())
    }

    /// Writes the limits, each where this machine can enforce it.
    ///
    /// The kernel checks some against another's old value (memory against memory and swap, a quota against its period),
    /// so what it refuses is tried again when everything else is written.
    fn limit(&mut self, limits: &[Limit]) -> Result<Vec<String>> {
        let mut warnings = vec![];
        let mut again = vec![];
        for limit in limits {
            if limit.lifts && !self.counts(limit.controller) {
                continue;
            }
            let (folder, settings) = match &self.unified {
                Some(unified) if unified.controls(limit.controller)? => (unified.path.clone(), &limit.v2),
                _ => (self.v1_folder(limit.controller).map_err(|error| no_controller(limit, &error))?, &limit.v1),
            };
            let known = !settings.is_empty() && settings.iter().all(|(file, _)| folder.join(file).exists());
            if let (false, Some(warning)) = (known, limit.discarded) {
                let shell = format!("ls {}", folder.display());
                tracing::info!(target: "explain", man = "cgroups(7)", shell, "{warning}");
                warnings.push(warning.to_owned());
                continue;
            }
            let refused = settings.iter().filter(|(file, value)| write(&folder, file, value).is_err());
            again.extend(refused.map(|setting| (folder.clone(), setting)));
            let shell = settings.iter().map(|(file, value)| format!("echo {value} > {}", folder.join(file).display()));
            tracing::info!(
                target: "explain", man = "cgroups(7)", shell = shell.collect::<Vec<_>>().join("; "),
                "limiting {}", limit.name
            );
        }
        again.iter().try_for_each(|(folder, (file, value))| write(folder, file, value))?;
        Ok(warnings)
    }

    /// Whether the container is in a group of this controller already.
    fn counts(&self, controller: Controller) -> bool {
        let v2 = self.unified.as_ref().is_some_and(|unified| has_controller(&unified.path, controller));
        v2 || self.v1.iter().any(|(joined, _)| *joined == controller)
    }

    /// Ties the device rules to the group, by a program where there is a v2 folder, else as v1's text.
    fn limit_devices(&mut self, rules: &[oci::LinuxDeviceCgroup]) -> Result<()> {
        let refusal = match &self.unified {
            Some(unified) => match device_rules::attach(unified.folder.as_fd(), rules) {
                Ok(()) => {
                    tracing::info!(
                        target: "explain", man = "bpf(2)",
                        shell = format!("bpftool cgroup attach {} device …", unified.path.display()),
                        "a program on the cgroup decides which devices the container may open"
                    );
                    return Ok(());
                }
                Err(error) => io::Error::from(error),
            },
            None => io::Error::from(io::ErrorKind::PermissionDenied),
        };
        let folder = match self.v1_folder(Controller::Devices) {
            Ok(folder) => folder,
            // Who may not make groups may not make device nodes either: file permissions guard those of the host.
            Err(_) if refusal.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            Err(_) => {
                let reason =
                    format!("the kernel takes no device program ({refusal}), and there is no v1 `devices` controller");
                return Err(Error::Limit { limit: "access to devices", reason });
            }
        };
        device_rules::v1_lines(rules).iter().try_for_each(|(file, line)| write(&folder, file, line))
    }

    /// The folder in a v1 controller's tree, made when it is first asked for.
    fn v1_folder(&mut self, controller: Controller) -> io::Result<PathBuf> {
        if let Some((_, folder)) = self.v1.iter().find(|(known, _)| *known == controller) {
            return Ok(folder.clone());
        }
        let mount = hierarchy::v1(controller).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let folder = hierarchy::make(&mount, Some(controller), &self.name)?;
        explain_mkdir(&folder);
        if controller == Controller::Cpuset {
            hierarchy::inherit_cpuset(&mount, &folder)?;
        }
        self.v1.push((controller, folder.clone()));
        Ok(folder)
    }

    /// The folders of v1 trees; controllers may share a tree.
    fn v1_folders(&self) -> Vec<&Path> {
        let mut folders: Vec<&Path> = self.v1.iter().map(|(_, folder)| folder.as_path()).collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }

    fn folders(&self) -> Vec<&Path> {
        self.unified.iter().map(|unified| unified.path.as_path()).chain(self.v1_folders()).collect()
    }

    /// The folder that can stop the processes, and whether it is v2's.
    fn freezer(&self) -> Result<(&Path, bool)> {
        let v1 = || self.v1.iter().find(|(controller, _)| *controller == Controller::Freezer);
        match (&self.unified, v1()) {
            (Some(unified), _) => Ok((&unified.path, true)),
            (None, Some((_, folder))) => Ok((folder, false)),
            (None, None) => Err(Error::Unsupported(
                "cannot pause: this container has no cgroup (as an ordinary user, ask for delegation: systemd-run --user --scope -p Delegate=yes)"
                    .into(),
            )),
        }
    }

    fn wait_until(&self, state: &str, reached: impl Fn() -> bool) -> Result<()> {
        for _ in 0..2000 {
            if reached() {
                return Ok(());
            }
            sleep(Duration::from_millis(1));
        }
        Err(Error::Unsupported(format!("the processes of {} are still not {state} after 2 seconds", self.name)))
    }
}

/// A limit was asked for, and there is nothing to enforce it.
fn no_controller(limit: &Limit, error: &io::Error) -> Error {
    let controller = limit.controller.name();
    const DELEGATION: &str = "run as root, or have it delegated (systemd-run --user --scope -p Delegate=yes)";
    let reason = match error.kind() {
        io::ErrorKind::NotFound => format!("this host has no `{controller}` cgroup controller; run without this limit"),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("the `{controller}` cgroup controller is not yours to use; {DELEGATION}")
        }
        _ => format!("the `{controller}` cgroup controller cannot be used: {error}"),
    };
    Error::Limit { limit: limit.name, reason }
}

#[cfg(test)]
mod tests;

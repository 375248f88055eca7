//! What is left when a shim was killed: cleared away by the next command that comes by.
//!
//! The kernel does most of it: init dies with its shim (PR_SET_PDEATHSIG), all others with init, and with the last of them
//! the namespaces and every mount. What remains is a cgroup, a socket, and a state that is not true any more.

use crate::container::record::{Container, Lock, Record};
use crate::container::remove;
use crate::container::state::State;
use crate::{Engine, Kind, Result, events, learner};
use process::cgroup::Cgroup;

impl Engine {
    /// Looks at all containers that ran, and buries those whose shim is dead. Cheap where nothing runs.
    pub(crate) fn bury_orphans(&self) {
        let Ok(entries) = std::fs::read_dir(self.roots.run.join("containers")) else { return };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for id in names.filter_map(|name| crate::container::id::ContainerId::parse(&name)) {
            let container = self.container(&id);
            if let Err(error) = self.bury_if_dead(&container) {
                tracing::warn!("what is left of container {id}: {error}");
            }
        }
    }

    fn bury_if_dead(&self, container: &Container) -> Result<()> {
        let state = container.written_state()?;
        if state.status.is_running() && !state.is_orphaned() {
            return Ok(());
        }
        // Somebody is at work on it: starting it, or burying it like us.
        let lock = match container.try_lock() {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(()),
            // Its shim was killed between deleting the container and deleting itself.
            Err(error) if error.kind == Kind::NotFound => return self.clear(container),
            Err(error) => return Err(error),
        };
        match container.record() {
            Ok(record) => {
                let state = self.settle(container, &record, &lock)?;
                // A start that was killed before it could write down anything.
                if state.status.is_running() { Ok(()) } else { self.clear(container) }
            }
            Err(error) if error.kind == Kind::NotFound => self.clear(container),
            Err(error) => Err(error),
        }
    }

    /// Writes down the end of a container whose shim is dead, and clears away the rest of it.
    pub(crate) fn bury(&self, container: &Container, record: &Record, state: State, lock: &Lock) -> Result<State> {
        let last_words = learner::last_words(&container.run);
        let truth = State { last_words, ..state.corrected() };
        self.clear_kernel(container)?;
        let code = truth.exit_code.to_string();
        let words = truth.last_words.iter().map(|words| (events::LAST_WORDS, words.as_str()));
        let told: Vec<_> = [("exitCode", code.as_str())].into_iter().chain(words).collect();
        // Before it is gone: who waits for it looks here then.
        self.tell_container("die", container, record, &told);
        self.hide_mounts(record);
        if record.host_config.auto_remove {
            self.delete(container, record, State { volumes_too: true, ..truth.clone() }, lock)?;
        } else {
            // The shim's last words are in the run folder until the state has them.
            container.save_state(&truth, record.durability())?;
            remove::delete_folder(&container.run)?;
        }
        Ok(truth)
    }

    /// Kills and removes what a dead shim left of its container in the kernel and in the run folder. Without such a folder
    /// there was no shim.
    pub(crate) fn clear(&self, container: &Container) -> Result<()> {
        self.clear_kernel(container)?;
        remove::delete_folder(&container.run)
    }

    fn clear_kernel(&self, container: &Container) -> Result<()> {
        if !container.run.exists() {
            return Ok(());
        }
        self.release_networks_of(container)?;
        let cgroup = Cgroup::open(container.id.as_str());
        let cleared = cgroup.kill().and_then(|()| cgroup.remove());
        cleared.map_err(|e| crate::Error::system("remove a dead container's cgroup", e))
    }
}

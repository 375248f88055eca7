//! What does not go by itself: the leases and ports of a killed shim, and the default network when the last container has left it.

use super::store::NetworkRecord;
use super::{Attachment, attachments, joined};
use crate::container::id::ContainerId;
use crate::container::record::Container;
use crate::{Engine, Result};
use network::Table;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// A container seldom comes alone. To make the network anew for each would cost it milliseconds.
const LINGER: Duration = Duration::from_millis(300);

/// The duty to look, a little later, whether the default network is still without a container. One process has it at a time: the
/// lock on a file.
#[derive(Debug)]
pub(crate) struct Sweep {
    file: File,
    /// What is to be swept, as it is now: by then the whole root may be gone, and must not be made again.
    network: NetworkRecord,
    rules: String,
}

impl Engine {
    /// Gives back what these have. The caller holds the lock.
    pub(super) fn release_all(&self, attachments: &[Attachment]) -> Result<()> {
        attachments.iter().try_for_each(|attachment| self.give_back(attachment))
    }

    pub(super) fn give_back(&self, attachment: &Attachment) -> Result<()> {
        let publications = attachment.publications();
        if !publications.is_empty() {
            Table::open(&self.rules_name()?)?.withdraw(&publications)?;
        }
        // By the ID, though the network be gone.
        let leases = self.leases_of(&attachment.network);
        for address in attachment.ips() {
            // Somebody else may have it by now.
            if leases.read::<Attachment>(address).is_none_or(|found| found.endpoint == attachment.endpoint) {
                leases.release(address)?;
            }
        }
        Ok(())
    }

    /// Gives back what a killed shim had. Its links, sockets and namespace went with it.
    pub(crate) fn release_networks_of(&self, container: &Container) -> Result<()> {
        let left = attachments(container);
        if left.is_empty() {
            return Ok(());
        }
        let lock = self.lock_networks()?;
        joined::unplug(container, &left)?;
        self.release_all(&left)?;
        let sweep = self.begin_sweep();
        drop(lock);
        // Nobody else comes by as soon as a shim would have.
        if let Some(sweep) = sweep {
            self.sweep_now(&sweep)?;
        }
        Ok(())
    }

    /// Takes the default network out of the kernel, unless somebody is on it, or looks after it already: for a build, whose commands
    /// come and go.
    pub(crate) fn leave_default_network(&self) -> Result<()> {
        let lock = self.lock_networks()?;
        let sweep = self.begin_sweep();
        drop(lock);
        sweep.map_or(Ok(()), |sweep| self.sweep_now(&sweep))
    }

    fn sweep_path(&self) -> PathBuf {
        self.networks_run_folder().join("sweep")
    }

    /// Clears what nobody else knows of: the default network when who had the duty was killed, and the bridge of a creation
    /// that was. Both have left a folder for leases without a lease in it, and that is what is looked for: where nothing
    /// was left behind, this is the reading of one folder.
    pub(crate) fn clear_networks(&self) {
        let entries = std::fs::read_dir(self.networks_run_folder()).into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| ContainerId::parse(entry.file_name().to_str()?));
        let ids: Vec<_> = ids.filter(|id| self.leases_of(id).taken().is_ok_and(|taken| taken.is_empty())).collect();
        if ids.is_empty() || !(crate::info::in_user_namespace() || super::may_bridge(self)) {
            return;
        }
        if let Err(error) = self.clear_empty(&ids) {
            tracing::warn!("what is left of networks: {error}");
        }
    }

    fn clear_empty(&self, ids: &[ContainerId]) -> Result<()> {
        let known = self.networks()?;
        let default = |id: &ContainerId| known.iter().any(|network| network.id == *id && network.is_predefined());
        let is_known = |id: &ContainerId| known.iter().any(|network| network.id == *id);
        // A shim that lingers has the duty, and needs nobody's help.
        let somebody = || File::open(self.sweep_path()).is_ok_and(|file| file.try_lock().is_err());
        if ids.iter().any(default) && !somebody() {
            self.leave_default_network()?;
        }
        for id in ids.iter().filter(|id| !is_known(id)) {
            let _lock = self.lock_networks()?;
            // It may just have been written down.
            if !self.written_networks()?.iter().any(|network| network.id == *id)
                && self.leases_of(id).taken()?.is_empty()
            {
                self.remove_bridge(id, &self.rules_name()?)?;
            }
        }
        Ok(())
    }

    /// The duty to sweep, unless somebody is on the default network, or has the duty. The caller holds the lock.
    pub(super) fn begin_sweep(&self) -> Option<Sweep> {
        let network = self.find_network("bridge").ok()?;
        if !self.leases(&network).taken().ok()?.is_empty() {
            return None;
        }
        if crate::info::in_user_namespace() {
            // The bridge is in a network of the user's own, which goes with the last container.
            self.leases(&network).remove().ok()?;
            return None;
        }
        let file = File::options().write(true).create(true).truncate(false).open(self.sweep_path()).ok()?;
        file.try_lock().ok()?;
        Some(Sweep { file, rules: self.rules_name().ok()?, network })
    }

    /// Waits a little, and takes the default network out of the kernel if still nobody is on it.
    pub(crate) fn sweep_soon(&self, sweep: &Sweep) -> Result<()> {
        self.sweep(sweep, LINGER)
    }

    /// The same without waiting.
    pub(crate) fn sweep_now(&self, sweep: &Sweep) -> Result<()> {
        self.sweep(sweep, Duration::ZERO)
    }

    fn sweep(&self, sweep: &Sweep, linger: Duration) -> Result<()> {
        std::thread::sleep(linger);
        let _lock = self.lock_networks()?;
        if self.leases(&sweep.network).taken()?.is_empty() {
            self.remove_bridge(&sweep.network.id, &sweep.rules)?;
        }
        // Within the lock: whoever leaves the network next has the duty again.
        sweep.file.unlock().map_err(|e| crate::Error::system("end a sweep", e))
    }
}

//! What does not go by itself: the leases and ports of a killed shim, and the default network when the last container has left it.

use super::store::NetworkRecord;
use super::{Attachment, attachments};
use crate::container::record::Container;
use crate::{Engine, Result};
use network::Table;
use std::fs::File;
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
        let leases = network::Leases::new(self.networks_run_folder().join(attachment.network.as_str()));
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

    /// The duty to sweep, unless somebody is on the default network, or has the duty. The caller holds the lock.
    pub(super) fn begin_sweep(&self) -> Option<Sweep> {
        let network = self.find_network("bridge").ok()?;
        if !self.leases(&network).taken().ok()?.is_empty() {
            return None;
        }
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.networks_run_folder().join("sweep"))
            .ok()?;
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
            self.remove_bridge(&sweep.network, &sweep.rules)?;
        }
        // Within the lock: whoever leaves the network next has the duty again.
        sweep.file.unlock().map_err(|e| crate::Error::system("end a sweep", e))
    }
}

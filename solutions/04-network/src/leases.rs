//! Who has which address: one file for each, named by it, in a folder of the network.
//!
//! A file is made with all it says, and by link(2), which fails where the name exists: so no address is ever given
//! twice, whoever dies on the way, and to look for a free one takes a list of names, however many they are. What
//! the file says is the caller's; the embedded DNS reads it to learn the names of the neighbours.

use crate::{Error, Range, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The leases of one network.
#[derive(Clone, Debug)]
pub struct Leases {
    folder: PathBuf,
}

impl Leases {
    /// In this folder, which is made when there is a first lease.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder, before there is a first lease.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn prepare(&self) -> Result<()> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(Error::file(format!("create {}", self.folder.display())))
    }

    /// The addresses that are taken.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn taken(&self) -> Result<BTreeSet<IpAddr>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            entries => entries.map_err(Error::file(format!("read {}", self.folder.display())))?,
        };
        // A name that is no address is a lease that is being written.
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
    }

    /// Takes the address that is wanted, or the lowest that is free. The caller holds a lock, so that it learns of a
    /// refusal before it begins anything.
    ///
    /// # Errors
    /// The address is taken, or none is left.
    pub fn choose(&self, range: &Range, wanted: Option<IpAddr>, network: &str) -> Result<IpAddr> {
        let taken = self.taken()?;
        match wanted {
            Some(wanted) => range.take(wanted, &taken),
            None => range.next(&taken, network),
        }
    }

    /// Writes down who has these addresses (one of each family at most).
    ///
    /// # Errors
    /// [`Error::AddressInUse`] when somebody was quicker.
    pub fn write(&self, addresses: &[IpAddr], says: &impl Serialize) -> Result<()> {
        let failed = |source| Error::File { step: format!("write a lease into {}", self.folder.display()), source };
        self.prepare()?;
        let draft = self.folder.join(format!("draft.{}", std::process::id()));
        let text = serde_json::to_vec(says).map_err(|error| failed(error.into()))?;
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        let mut outcome = Ok(());
        for (index, address) in addresses.iter().enumerate() {
            outcome = match fs::hard_link(&draft, self.path(*address)) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Error::AddressInUse),
                linked => linked.map_err(failed),
            };
            if outcome.is_err() {
                for taken in &addresses[..index] {
                    self.release(*taken)?;
                }
                break;
            }
        }
        fs::remove_file(&draft).map_err(failed)?;
        outcome
    }

    /// Writes anew what the leases of these addresses say.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn rewrite(&self, addresses: &[IpAddr], says: &impl Serialize) -> Result<()> {
        let failed = |source| Error::File { step: format!("write a lease into {}", self.folder.display()), source };
        let text = serde_json::to_vec(says).map_err(|error| failed(error.into()))?;
        for address in addresses {
            let draft = self.folder.join(format!("draft.{}", std::process::id()));
            fs::write(&draft, &text).map_err(failed)?;
            fs::rename(&draft, self.path(*address)).map_err(failed)?;
        }
        Ok(())
    }

    /// Gives an address back. One that nobody has is as good.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn release(&self, address: IpAddr) -> Result<()> {
        match fs::remove_file(self.path(address)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::file(format!("give back {address}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// What the lease of this address says. None if there is none, or it is not to be understood.
    pub fn read<T: DeserializeOwned>(&self, address: IpAddr) -> Option<T> {
        serde_json::from_slice(&fs::read(self.path(address)).ok()?).ok()
    }

    /// What all leases say. One with two addresses comes twice.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all<T: DeserializeOwned>(&self) -> Result<Vec<(IpAddr, T)>> {
        let taken = self.taken()?;
        Ok(taken.into_iter().filter_map(|address| Some((address, self.read(address)?))).collect())
    }

    /// Removes the folder, if nobody has an address any more. The caller holds the lock: drafts that lie about are nobody's.
    ///
    /// # Errors
    /// Somebody has.
    pub fn remove(&self) -> Result<()> {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("draft.") {
                fs::remove_file(entry.path()).map_err(Error::file(format!("remove {}", entry.path().display())))?;
            }
        }
        match fs::remove_dir(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::file(format!("remove {}", self.folder.display()))(error))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, address: IpAddr) -> PathBuf {
        self.folder.join(address.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Subnet;

    fn range() -> Range {
        Range::new(Subnet::v4(10, 0, 0, 0, 29), None, None, Vec::new()).unwrap()
    }

    #[test]
    fn a_lease_is_given_once_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let leases = Leases::new(folder.path().join("web"));
        let first = leases.choose(&range(), None, "web").unwrap();
        leases.write(&[first, "fd00::2".parse().unwrap()], &"one").unwrap();
        assert!(matches!(leases.write(&[first], &"two"), Err(Error::AddressInUse)));
        let second = leases.choose(&range(), None, "web").unwrap();
        assert_ne!(first, second);
        leases.write(&[second], &"two").unwrap();
        assert_eq!(leases.read::<String>(first).as_deref(), Some("one"));
        assert_eq!(leases.all::<String>().unwrap().len(), 3);
        assert!(leases.remove().is_err());
        // Of a process that was killed while it wrote.
        fs::write(leases.folder().join("draft.4711"), "half").unwrap();
        for address in leases.taken().unwrap() {
            leases.release(address).unwrap();
            leases.release(address).unwrap();
        }
        leases.remove().unwrap();
        assert_eq!(leases.choose(&range(), None, "web").unwrap(), first);
    }

    #[test]
    fn of_two_families_both_are_taken_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let leases = Leases::new(folder.path().to_owned());
        let (v4, v6) = ("10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap());
        leases.write(&[v6], &"one").unwrap();
        assert!(matches!(leases.write(&[v4, v6], &"two"), Err(Error::AddressInUse)));
        assert_eq!(leases.taken().unwrap(), BTreeSet::from([v6]));
        assert_eq!(leases.read::<String>(v6).as_deref(), Some("one"));
    }

    /// Many at once, without a lock: never the same address twice.
    #[test]
    fn no_address_is_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let range = Range::new(Subnet::v4(10, 0, 0, 0, 24), None, None, Vec::new()).unwrap();
        let got: Vec<IpAddr> = std::thread::scope(|scope| {
            let one = |worker: usize| {
                // (The draft of a lease is named by the process: threads need a folder for themselves.)
                let leases = Leases::new(folder.path().to_owned());
                let mut got = Vec::new();
                static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
                for n in 0..20 {
                    let address = leases.choose(&range, None, "web").unwrap();
                    let _turn = TURN.lock().unwrap();
                    match leases.write(&[address], &(worker, n)) {
                        Ok(()) => got.push(address),
                        Err(Error::AddressInUse) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                got
            };
            let workers: Vec<_> = (0..4).map(|worker| scope.spawn(move || one(worker))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), got.len());
    }
}

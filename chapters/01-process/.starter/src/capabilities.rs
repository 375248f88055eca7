//! Capabilities: root's power, cut into pieces (capabilities(7)).
//!
//! A container's root is not the host's root: it holds the fourteen pieces below and no other. Adding and dropping follow Docker's
//! rules, and so do the words of the refusals. What the child needs between clone and exec is worked out beforehand in [`Prepared`],
//! whose methods only make system calls.

use std::str::FromStr;

use rustix::thread::{self, CapabilitySet, CapabilitySets};

use crate::{Error, oci};
pub use oci::{Capabilities, Capability};

/// What Docker gives a container that asks for nothing special.
const DEFAULT: [Capability; 14] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fsetid,
    Capability::Fowner,
    Capability::Mknod,
    Capability::NetRaw,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setfcap,
    Capability::Setpcap,
    Capability::NetBindService,
    Capability::SysChroot,
    Capability::Kill,
    Capability::AuditWrite,
];

/// Every capability, in the kernel's order: the place in this list is the bit number (linux/capability.h).
const BY_NUMBER: [Capability; 41] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::DacReadSearch,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setpcap,
    Capability::LinuxImmutable,
    Capability::NetBindService,
    Capability::NetBroadcast,
    Capability::NetAdmin,
    Capability::NetRaw,
    Capability::IpcLock,
    Capability::IpcOwner,
    Capability::SysModule,
    Capability::SysRawio,
    Capability::SysChroot,
    Capability::SysPtrace,
    Capability::SysPacct,
    Capability::SysAdmin,
    Capability::SysBoot,
    Capability::SysNice,
    Capability::SysResource,
    Capability::SysTime,
    Capability::SysTtyConfig,
    Capability::Mknod,
    Capability::Lease,
    Capability::AuditWrite,
    Capability::AuditControl,
    Capability::Setfcap,
    Capability::MacOverride,
    Capability::MacAdmin,
    Capability::Syslog,
    Capability::WakeAlarm,
    Capability::BlockSuspend,
    Capability::AuditRead,
    Capability::Perfmon,
    Capability::Bpf,
    Capability::CheckpointRestore,
];

/// Docker's fourteen defaults.
pub fn default_set() -> Capabilities {
    DEFAULT.into_iter().collect()
}

/// All this process could hand on. What the engine itself does not hold (in a user namespace's or a cloud machine's root,
/// say) no container can get from it.
pub fn all() -> Capabilities {
    let held = thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.permitted);
    BY_NUMBER.into_iter().filter(|&capability| held.contains(bit(capability))).collect()
}

/// The set a container gets for its `--cap-add`, `--cap-drop` and `--privileged`.
///
/// Names come with or without `CAP_`, in any case. `ALL` in `add` means all but those dropped; `ALL` in `drop` means
/// only those added.
///
/// # Errors
/// A name that no kernel has, and one this host cannot give, in Docker's words.
pub fn resolve(add: &[String], drop: &[String], privileged: bool) -> Result<Capabilities, Error> {
    let available = all();
    let added = Names::parse("CapAdd", add, &available)?;
    let dropped = Names::parse("CapDrop", drop, &available)?;
    Ok(if privileged { available } else { granted(&added, &dropped, &available) })
}

/// What a container gets of root's power, for what its `--cap-add` and `--cap-drop` name.
///
/// Without either it gets the [`default_set`], which is Docker's. Otherwise:
/// * `--cap-add ALL` gives all that is `available`, but for what is dropped by name;
/// * else `--cap-drop ALL` leaves only what is added by name;
/// * else it is the default set, less what is dropped by name, and then with what is added by name (so that a name in both lists is
///   added).
///
/// In no case is there more than is `available`, which is what the engine itself holds: nobody can give what he does not have
/// (capabilities(7), "Capability bounding set").
///
/// [`Capabilities`] is a `HashSet<Capability>`.
pub fn granted(added: &Names, dropped: &Names, available: &Capabilities) -> Capabilities {
    // exercise: 1.5 granted: what is added, what is dropped, and what is there to give
    todo!("exercise 1.5, granted: what is added, what is dropped, and what is there to give")
    // end exercise
}

/// The five sets of a process, as Docker fills them: root may use what bounds it; another user holds nothing until it
/// executes a file that grants something. Inheritable and ambient stay empty (CVE-2022-24769).
pub fn process_sets(bounding: &Capabilities, root: bool) -> oci::LinuxCapabilities {
    let held = if root { bounding.clone() } else { Capabilities::new() };
    let mut sets = oci::LinuxCapabilities::default();
    sets.set_bounding(Some(bounding.clone()))
        .set_effective(Some(held.clone()))
        .set_permitted(Some(held))
        .set_inheritable(None)
        .set_ambient(None);
    sets
}

/// The user's list of names, understood.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// `ALL` was among them.
    pub all: bool,
    /// Those with a name of their own.
    pub listed: Capabilities,
}

impl Names {
    fn parse(option: &'static str, names: &[String], available: &Capabilities) -> Result<Self, Error> {
        let mut parsed = Self { all: false, listed: Capabilities::new() };
        for name in names {
            let name = name.trim().to_uppercase();
            if name == "ALL" {
                parsed.all = true;
                continue;
            }
            let name = if name.starts_with("CAP_") { name } else { format!("CAP_{name}") };
            match Capability::from_str(&name[4..]) {
                Err(_) => return Err(Error::UnknownCapability { option, name }),
                Ok(capability) if !available.contains(&capability) => {
                    return Err(Error::UnavailableCapability { option, name });
                }
                Ok(capability) => parsed.listed.insert(capability),
            };
        }
        Ok(parsed)
    }
}

/// The sets of a process as the bits capset(2) takes, so that the child has nothing left to compute.
#[derive(Debug, Clone, Copy)]
pub struct Prepared {
    bounding: CapabilitySet,
    sets: CapabilitySets,
    ambient: CapabilitySet,
    last: u32,
}

impl Prepared {
    pub fn new(wanted: &oci::LinuxCapabilities) -> Self {
        let bits = |set: &Option<Capabilities>| {
            set.iter().flatten().fold(CapabilitySet::empty(), |bits, &capability| bits | bit(capability))
        };
        let prepared = Self {
            bounding: bits(wanted.bounding()),
            sets: CapabilitySets {
                effective: bits(wanted.effective()),
                permitted: bits(wanted.permitted()),
                inheritable: bits(wanted.inheritable()),
            },
            ambient: bits(wanted.ambient()),
            last: last_number(),
        };
        tracing::info!(
            target: "explain",
            man = "capabilities(7)",
            shell = format!("capsh --drop=… # leaves {} of {}", prepared.bounding.bits().count_ones(), prepared.last + 1),
            "keeping {} of root's {} capabilities",
            prepared.bounding.bits().count_ones(),
            prepared.last + 1
        );
        prepared
    }

    /// Takes from the bounding set what the container may never have again, not even by executing a setuid-root file.
    /// To be called while still root (it needs CAP_SETPCAP). Async-signal-safe.
    pub fn limit(&self) -> rustix::io::Result<()> {
        for number in 0..=self.last {
            if self.bounding.bits() & (1 << number) == 0
                && let Some(bit) = CapabilitySet::from_bits(1 << number)
            {
                thread::remove_capability_from_bounding_set(bit)?;
            }
        }
        Ok(())
    }

    /// Puts the sets in force: the last step before exec, after setuid(2). Async-signal-safe.
    pub fn apply(&self) -> rustix::io::Result<()> {
        thread::set_capabilities(None, self.sets)?;
        thread::clear_ambient_capability_set()?;
        for bit in self.ambient.iter() {
            thread::configure_capability_in_ambient_set(bit, true)?;
        }
        Ok(())
    }
}

/// The capability as a set of one.
fn bit(capability: Capability) -> CapabilitySet {
    let number = BY_NUMBER.iter().position(|&known| known == capability);
    number.map_or(CapabilitySet::empty(), |number| CapabilitySet::from_bits_retain(1 << number))
}

/// The highest capability this kernel knows; asked of the kernel itself, since /proc may not be there.
fn last_number() -> u32 {
    (0..64)
        .take_while(|&number| {
            CapabilitySet::from_bits(1 << number).is_some_and(|bit| thread::capability_is_in_bounding_set(bit).is_ok())
        })
        .last()
        .unwrap_or(0)
}

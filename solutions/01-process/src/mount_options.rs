//! The options of a mount, as mount(8) spells them, in the form the kernel wants.
//!
//! The same word means a flag of mount(2) for a new filesystem, and an attribute of mount_setattr(2) for a bind mount.

use rustix::mount::MountFlags;

use crate::sys::MountAttributes;
use crate::{Error, Result};

// Attributes of mount_setattr(2), linux/mount.h.
pub(crate) const RDONLY: u64 = 0x1;
const NOSUID: u64 = 0x2;
const NODEV: u64 = 0x4;
const NOEXEC: u64 = 0x8;
const ATIME: u64 = 0x70;
const NOATIME: u64 = 0x10;
const STRICTATIME: u64 = 0x20;
const NODIRATIME: u64 = 0x80;
const NOSYMFOLLOW: u64 = 0x20_0000;

// Propagation types of mount(2); rustix has them as flags of another call.
pub(crate) const PRIVATE: u64 = 1 << 18;
const UNBINDABLE: u64 = 1 << 17;
const SLAVE: u64 = 1 << 19;
const SHARED: u64 = 1 << 20;

/// What the words add up to.
#[derive(Debug)]
pub(crate) struct MountOptions {
    /// A bind mount, and whether it takes along what is mounted beneath.
    pub bind: bool,
    pub recursive: bool,
    /// For mount(2).
    pub flags: MountFlags,
    /// For mount_setattr(2): of the mount itself, and of all beneath it (`rro`).
    pub attributes: MountAttributes,
    pub recursive_attributes: MountAttributes,
    /// Whether the propagation goes down the tree (`rslave`).
    pub recursive_propagation: bool,
    /// What is meant for the filesystem: `size=64m,mode=755`.
    pub data: Vec<String>,
}

impl Default for MountOptions {
    fn default() -> Self {
        Self {
            bind: false,
            recursive: false,
            flags: MountFlags::empty(),
            attributes: MountAttributes::default(),
            recursive_attributes: MountAttributes::default(),
            recursive_propagation: false,
            data: Vec::new(),
        }
    }
}

/// A word that sets or clears one bit.
struct MountAttributeWord {
    set: bool,
    flag: MountFlags,
    attribute: u64,
    /// What is cleared first: access time is a choice of several values, not a bit.
    mask: u64,
}

impl MountOptions {
    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for word in words {
            options.add(word)?;
        }
        Ok(options)
    }

    fn add(&mut self, word: &str) -> Result<()> {
        if let Some(attribute) = attribute(word) {
            if attribute.set {
                self.flags |= attribute.flag;
            } else {
                self.flags &= !attribute.flag;
            }
            change(&mut self.attributes, &attribute);
        } else if let Some(attribute) = word.strip_prefix('r').and_then(attribute) {
            // `rro`, `rnosuid`, …: util-linux and the OCI runtime specification.
            change(&mut self.recursive_attributes, &attribute);
        } else {
            match word {
                "defaults" | "async" | "rw" | "" => {}
                "sync" => self.flags |= MountFlags::SYNCHRONOUS,
                "dirsync" => self.flags |= MountFlags::DIRSYNC,
                "bind" => self.bind = true,
                "rbind" => (self.bind, self.recursive) = (true, true),
                "remount" | "idmap" | "ridmap" | "tmpcopyup" => {
                    return Err(Error::Unsupported(format!("the mount option \"{word}\" is not supported")));
                }
                _ => match propagation(word) {
                    Some((kind, recursive)) => {
                        (self.attributes.propagation, self.recursive_propagation) = (kind, recursive)
                    }
                    None => self.data.push(word.to_owned()),
                },
            }
        }
        Ok(())
    }
}

fn attribute(word: &str) -> Option<MountAttributeWord> {
    let bit = |set, flag, attribute| Some(MountAttributeWord { set, flag, attribute, mask: 0 });
    let time = |flag, attribute| Some(MountAttributeWord { set: true, flag, attribute, mask: ATIME });
    match word {
        "ro" => bit(true, MountFlags::RDONLY, RDONLY),
        "nosuid" => bit(true, MountFlags::NOSUID, NOSUID),
        "suid" => bit(false, MountFlags::NOSUID, NOSUID),
        "nodev" => bit(true, MountFlags::NODEV, NODEV),
        "dev" => bit(false, MountFlags::NODEV, NODEV),
        "noexec" => bit(true, MountFlags::NOEXEC, NOEXEC),
        "exec" => bit(false, MountFlags::NOEXEC, NOEXEC),
        "nodiratime" => bit(true, MountFlags::NODIRATIME, NODIRATIME),
        "diratime" => bit(false, MountFlags::NODIRATIME, NODIRATIME),
        "nosymfollow" => bit(true, MountFlags::NOSYMFOLLOW, NOSYMFOLLOW),
        "symfollow" => bit(false, MountFlags::NOSYMFOLLOW, NOSYMFOLLOW),
        "noatime" => time(MountFlags::NOATIME, NOATIME),
        "strictatime" => time(MountFlags::STRICTATIME, STRICTATIME),
        "relatime" | "atime" | "nostrictatime" | "norelatime" => time(MountFlags::RELATIME, 0),
        _ => None,
    }
}

fn change(attributes: &mut MountAttributes, word: &MountAttributeWord) {
    if word.set {
        attributes.set = attributes.set & !word.mask | word.attribute;
        attributes.clear = attributes.clear & !word.attribute | word.mask;
    } else {
        attributes.set &= !word.attribute;
        attributes.clear |= word.attribute;
    }
}

/// mount_namespaces(7): the kind, and whether it goes down the tree.
pub(crate) fn propagation(word: &str) -> Option<(u64, bool)> {
    let (recursive, kind) = match word {
        "private" | "slave" | "shared" | "unbindable" => (false, word),
        _ => (true, word.strip_prefix('r')?),
    };
    let kind = match kind {
        "private" => PRIVATE,
        "slave" => SLAVE,
        "shared" => SHARED,
        "unbindable" => UNBINDABLE,
        _ => return None,
    };
    Some((kind, recursive))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> MountOptions {
        MountOptions::parse(&words.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn flags_and_data_are_told_apart() {
        let options = parse("nosuid,strictatime,mode=755,size=65536k");
        assert_eq!(options.flags, MountFlags::NOSUID | MountFlags::STRICTATIME);
        assert_eq!(options.data, ["mode=755", "size=65536k"]);
        assert!(!options.bind);
    }

    #[test]
    fn the_last_word_wins() {
        assert_eq!(parse("noexec,exec").flags, MountFlags::empty());
        let attributes = parse("rbind,noexec,exec,noatime,relatime").attributes;
        assert_eq!((attributes.set, attributes.clear), (0, NOEXEC | ATIME));
    }

    #[test]
    fn a_bind_mount_with_propagation() {
        let options = parse("rbind,rslave,ro");
        assert!(options.bind && options.recursive && options.recursive_propagation);
        assert_eq!(options.attributes.propagation, SLAVE);
        assert_eq!(options.attributes.set, RDONLY);
        let options = parse("bind,rro,private");
        assert_eq!((options.attributes.set, options.recursive_attributes.set), (0, RDONLY));
        assert!(!options.recursive_propagation);
    }

    #[test]
    fn what_is_not_done_is_refused() {
        assert!(MountOptions::parse(&["idmap".to_owned()]).is_err());
    }
}

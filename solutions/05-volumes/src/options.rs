//! What a volume is made of, as `--opt` says it: of nothing but a folder, usually; or of what mount(8) would be told.

use crate::error::OptionFault;
use crate::mount_point::clean;
use std::collections::BTreeMap;

/// The options of the driver `local`, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Options {
    /// None: the volume is its own folder.
    Folder,
    /// `type=none,o=bind,device=/srv/data`: a folder of the host under a name.
    Bind {
        /// Absolute.
        device: String,
        /// `o=bind,ro`
        read_only: bool,
    },
    /// `type=tmpfs,device=tmpfs`: memory that several containers share, and that is gone when the last of them has ended.
    Tmpfs {
        /// What is for the filesystem: `size=64m,mode=755`.
        data: Vec<String>,
        /// What is for the mount: `noexec`, `ro`.
        flags: Vec<String>,
    },
}

/// What tmpfs(5) takes.
const TMPFS_DATA: [&str; 8] = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "huge"];

/// What any mount takes.
const FLAGS: [&str; 13] = [
    "ro",
    "rw",
    "exec",
    "noexec",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "atime",
    "noatime",
    "relatime",
    "strictatime",
    "defaults",
];

impl Options {
    /// Reads the options of a volume.
    ///
    /// # Errors
    /// In Docker's words; and for what Docker would hand to mount(2), a network filesystem or a disk, in ours.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, OptionFault> {
        if let Some(unknown) = options.keys().find(|key| !["type", "o", "device", "size"].contains(&key.as_str())) {
            return Err(OptionFault::Unknown(unknown.clone()));
        }
        if options.contains_key("size") {
            return Err(OptionFault::Quota);
        }
        let get = |key: &str| options.get(key).map(String::as_str);
        let (kind, device, o) = match (get("type"), get("device"), get("o")) {
            (None, None, None) => return Ok(Self::Folder),
            (_, None, _) => return Err(OptionFault::Missing("device")),
            (None, _, _) => return Err(OptionFault::Missing("type")),
            (Some(kind), Some(device), o) => (kind, device, o.unwrap_or_default()),
        };
        let words: Vec<&str> = o.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        match kind {
            // With `o=bind`, mount(2) does not look at the type.
            _ if words.iter().any(|word| matches!(*word, "bind" | "rbind")) => bind(device, &words),
            "tmpfs" => tmpfs(&words),
            other => Err(OptionFault::Kind(other.to_owned())),
        }
    }
}

fn bind(device: &str, words: &[&str]) -> Result<Options, OptionFault> {
    if !device.starts_with('/') {
        return Err(OptionFault::Device(device.to_owned()));
    }
    match words.iter().find(|word| !matches!(**word, "bind" | "rbind" | "ro" | "rw" | "defaults")) {
        Some(word) => Err(OptionFault::MountOption((*word).to_owned())),
        None => Ok(Options::Bind { device: clean(device), read_only: words.contains(&"ro") }),
    }
}

fn tmpfs(words: &[&str]) -> Result<Options, OptionFault> {
    let (mut data, mut flags) = (Vec::new(), Vec::new());
    for word in words {
        match word.split_once('=') {
            Some((key, _)) if TMPFS_DATA.contains(&key) => data.push((*word).to_owned()),
            None if FLAGS.contains(word) => flags.push((*word).to_owned()),
            _ => return Err(OptionFault::MountOption((*word).to_owned())),
        }
    }
    Ok(Options::Tmpfs { data, flags })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: &str) -> Result<Options, OptionFault> {
        let pairs = options.split(' ').filter_map(|pair| pair.split_once('='));
        Options::parse(&pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn a_volume_is_a_folder_a_place_of_the_host_or_memory() {
        assert_eq!(parse(""), Ok(Options::Folder));
        let device = "/srv/data".to_owned();
        assert_eq!(parse("type=none o=bind,ro device=/srv//data/"), Ok(Options::Bind { device, read_only: true }));
        let memory = Options::Tmpfs { data: vec!["size=1m".into(), "uid=7".into()], flags: vec!["noexec".into()] };
        assert_eq!(parse("type=tmpfs device=tmpfs o=size=1m,noexec,uid=7"), Ok(memory));
    }

    #[test]
    fn what_it_cannot_be_is_told() {
        let why = |options| parse(options).unwrap_err().to_string();
        assert_eq!(why("foo=bar"), "invalid option: \"foo\"");
        assert_eq!(why("type=tmpfs"), "missing required option: \"device\"");
        assert_eq!(why("device=tmpfs"), "missing required option: \"type\"");
        assert_eq!(why("o=ro"), "missing required option: \"device\"");
        assert_eq!(why("size=1m"), "quota size requested but no quota support");
        assert!(
            why("type=nfs device=:/share o=addr=10.0.0.1").starts_with("a volume of type \"nfs\" is not supported")
        );
        assert_eq!(why("type=none o=bind device=srv"), "the device of a bind mount is an absolute path, not \"srv\"");
        assert_eq!(why("type=none o=bind,idmap device=/srv"), "invalid mount option \"idmap\"");
        assert_eq!(why("type=tmpfs device=tmpfs o=colour=red"), "invalid mount option \"colour=red\"");
    }
}

//! Archives for tests, put together byte by byte: an honest library refuses to write what a hostile one would. And
//! folders to unpack them into, and to mount.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use layers::unpack::{Limits, Options, Unpacked, Whiteouts, unpack};
use layers::{Error, Refusal};

/// An entry of an archive.
#[derive(Clone)]
pub struct Entry {
    header: tar::Header,
    data: Vec<u8>,
    records: Vec<(String, Vec<u8>)>,
}

impl Entry {
    pub fn new(kind: u8, name: &str) -> Entry {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        let length = name.len().min(100);
        old.name[..length].copy_from_slice(&name.as_bytes()[..length]);
        old.linkflag = [kind];
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000);
        header.set_size(0);
        Entry { header, data: Vec::new(), records: Vec::new() }
    }

    pub fn file(name: &str, data: impl AsRef<[u8]>) -> Entry {
        Entry::new(b'0', name).data(data)
    }

    pub fn folder(name: &str) -> Entry {
        Entry::new(b'5', name).mode(0o755)
    }

    pub fn symlink(name: &str, target: &str) -> Entry {
        Entry::new(b'2', name).link(target).mode(0o777)
    }

    pub fn hard_link(name: &str, target: &str) -> Entry {
        Entry::new(b'1', name).link(target)
    }

    pub fn device(kind: u8, name: &str, major: u32, minor: u32) -> Entry {
        let mut entry = Entry::new(kind, name);
        entry.header.set_device_major(major).unwrap();
        entry.header.set_device_minor(minor).unwrap();
        entry
    }

    pub fn link(mut self, target: &str) -> Entry {
        self.header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        self
    }

    pub fn data(mut self, data: impl AsRef<[u8]>) -> Entry {
        self.data = data.as_ref().to_vec();
        self.header.set_size(self.data.len() as u64);
        self
    }

    pub fn mode(mut self, mode: u32) -> Entry {
        self.header.set_mode(mode);
        self
    }

    pub fn owner(mut self, uid: u64, gid: u64) -> Entry {
        self.header.set_uid(uid);
        self.header.set_gid(gid);
        self
    }

    pub fn mtime(mut self, mtime: u64) -> Entry {
        self.header.set_mtime(mtime);
        self
    }

    /// Changes the header itself.
    pub fn header(mut self, change: impl FnOnce(&mut tar::Header)) -> Entry {
        change(&mut self.header);
        self
    }

    /// A record of an extended header before this entry.
    pub fn record(mut self, key: &str, value: impl AsRef<[u8]>) -> Entry {
        self.records.push((key.to_string(), value.as_ref().to_vec()));
        self
    }

    pub fn bytes(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if !self.records.is_empty() {
            let mut body = Vec::new();
            for (key, value) in &self.records {
                body.extend_from_slice(&record(key, value));
            }
            bytes = Entry::new(b'x', "PaxHeader").data(body).bytes();
        }
        self.header.set_cksum();
        bytes.extend_from_slice(self.header.as_bytes());
        bytes.extend_from_slice(&self.data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let length =
        (1..9).map(|digits| rest.len() + digits).find(|length| length.to_string().len() + rest.len() == *length);
    [length.unwrap().to_string().as_bytes(), &rest].concat()
}

/// A whole archive, with its end.
pub fn tar(entries: impl IntoIterator<Item = Entry>) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.into_iter().flat_map(Entry::bytes).collect();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A folder to unpack into, with a canary beside it that has to survive.
pub struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    pub fn new() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("root")).unwrap();
        std::fs::create_dir(folder.path().join("outside")).unwrap();
        std::fs::write(folder.path().join("outside/canary"), "alive").unwrap();
        Ground { folder }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// Whether nothing outside of the root has changed.
    pub fn assert_nothing_escaped(&self) {
        assert_eq!(listing(&self.outside()), ["canary"]);
        assert_eq!(std::fs::read_to_string(self.outside().join("canary")).unwrap(), "alive");
        let beside = std::fs::read_dir(self.folder.path()).unwrap().count();
        assert_eq!(beside, 2, "beside the root there is only the canary");
    }

    pub fn unpack_as(&self, whiteouts: Whiteouts, archive: &[u8]) -> Result<Unpacked, Error> {
        let root = std::fs::File::open(self.root()).unwrap();
        let limits = Limits { bytes: 8 << 20, entries: 1000 };
        let options = Options { layer: "sha256:test", whiteouts, limits, owner: None };
        unpack(archive, std::os::fd::AsFd::as_fd(&root), &options)
    }

    pub fn unpack(&self, entries: impl IntoIterator<Item = Entry>) -> Result<Unpacked, Error> {
        self.unpack_as(Whiteouts::Overlay, &tar(entries))
    }

    /// Unpacks what has to be refused. Returns the entry and the reason.
    pub fn refused(&self, entries: impl IntoIterator<Item = Entry>) -> (String, Refusal) {
        let result = self.unpack(entries);
        self.assert_nothing_escaped();
        match result {
            Err(Error::Refused { layer, entry, why }) => {
                assert_eq!(layer, "sha256:test");
                (entry, why)
            }
            other => panic!("this archive has to be refused, naming the entry and the reason; instead: {other:?}"),
        }
    }
}

/// An unpacked layer.
pub fn layer(entries: impl IntoIterator<Item = Entry>) -> Ground {
    let ground = Ground::new();
    ground.unpack(entries).unwrap();
    ground
}

/// A folder for the writes of a container.
pub struct Writable(tempfile::TempDir);

impl Writable {
    pub fn new() -> Writable {
        let folder = tempfile::tempdir().unwrap();
        for name in ["upper", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Writable(folder)
    }

    pub fn upper(&self) -> PathBuf {
        self.0.path().join("upper")
    }

    pub fn work(&self) -> PathBuf {
        self.0.path().join("work")
    }
}

/// Where the files of a detached mount can be seen.
pub fn seen(mount: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/.", mount.as_raw_fd()))
}

/// All paths beneath a folder, sorted.
pub fn listing(folder: &Path) -> Vec<String> {
    fn visit(root: &Path, folder: &Path, paths: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            paths.push(entry.path().strip_prefix(root).unwrap().display().to_string());
            if entry.file_type().unwrap().is_dir() {
                visit(root, &entry.path(), paths);
            }
        }
    }
    let mut paths = Vec::new();
    visit(folder, folder, &mut paths);
    paths.sort();
    paths
}

//! An image like those in use: a base with very many files, a large layer of packages, smaller ones on top. What is in
//! the files is made up, and compresses as libraries and programs do.

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What the layers unpack to, in millions of bytes.
const LAYERS: [u64; 5] = [120, 50, 230, 80, 20];
const MEGA: u64 = 1_000_000;

/// A blob that waits to be sent.
pub(crate) struct Blob {
    pub(crate) path: PathBuf,
    pub(crate) digest: String,
    pub(crate) size: u64,
    pub(crate) unpacked: u64,
}

pub(crate) struct Image {
    pub(crate) layers: Vec<Blob>,
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

/// Docker's own, which every engine of any age understands.
pub(crate) const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

impl Image {
    /// Makes the image in this folder, layer by layer: no more of it is ever in memory than one file.
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let (mut layers, mut diff_ids) = (Vec::new(), Vec::new());
        for (index, megabytes) in LAYERS.iter().enumerate() {
            let (blob, diff_id) = layer(&folder.join(index.to_string()), index as u64, megabytes * MEGA)?;
            layers.push(blob);
            diff_ids.push(diff_id);
        }
        let config = json!({
            "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }, "os": "linux",
            "config": { "Cmd": ["/bin/true"] }, "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": LAYERS.map(|_| json!({ "created_by": "bench" })).to_vec(),
        });
        let config = config.to_string().into_bytes();
        let listed: Vec<_> =
            layers.iter().map(|blob| json!({ "mediaType": LAYER, "size": blob.size, "digest": blob.digest })).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": listed,
            "config": { "mediaType": CONFIG, "size": config.len(), "digest": digest(&config) },
        });
        Ok(Self { layers, config, manifest: manifest.to_string().into_bytes() })
    }

    pub(crate) fn told(&self) -> String {
        let sum = |of: fn(&Blob) -> u64| self.layers.iter().map(of).sum::<u64>() / MEGA;
        format!("{} MB gzipped, {} MB unpacked", sum(|blob| blob.size), sum(|blob| blob.unpacked))
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    named(Sha256::digest(bytes).as_slice())
}

fn named(hash: &[u8]) -> String {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A layer, and its diff ID.
fn layer(path: &Path, seed: u64, bytes: u64) -> Result<(Blob, String)> {
    let file = Hashing::new(BufWriter::new(File::create(path)?));
    let gzip = GzEncoder::new(file, Compression::default());
    let mut tar = tar::Builder::new(Hashing::new(gzip));
    let mut made = Made::new(seed);
    let (mut left, mut number, mut content) = (bytes, 0, Vec::new());
    while left > 0 {
        let size = made.size().min(left);
        made.fill(&mut content, size as usize);
        let mut header = tar::Header::new_gnu();
        header.set_mode(if number % 7 == 0 { 0o755 } else { 0o644 });
        header.set_mtime(1_700_000_000 + number);
        header.set_size(size);
        let name = format!("usr/lib/layer-{seed}/package-{}/part-{}/file-{number}", number / 200, number / 20 % 10);
        tar.append_data(&mut header, name, content.as_slice())?;
        (left, number) = (left - size, number + 1);
    }
    let (gzip, diff_id, unpacked) = tar.into_inner()?.finish();
    let (mut file, digest, size) = gzip.finish()?.finish();
    file.flush()?;
    Ok((Blob { path: path.to_owned(), digest, size, unpacked }, diff_id))
}

/// Hashes and counts what is written through it.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    count: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), count: 0 }
    }

    fn finish(self) -> (W, String, u64) {
        (self.inner, named(self.hash.finalize().as_slice()), self.count)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Files that are the same every time (xorshift64*).
struct Made {
    state: u64,
    words: Vec<Vec<u8>>,
}

impl Made {
    fn new(seed: u64) -> Self {
        let mut made = Self { state: 0x9e37_79b9_7f4a_7c15 ^ (seed + 1), words: Vec::new() };
        for _ in 0..6000 {
            let length = 2 + made.below(9);
            let word = (0..length).map(|_| b'a' + made.below(26) as u8).collect();
            made.words.push(word);
        }
        made
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 33) % limit
    }

    /// Most files are small, most bytes are in large ones: 300 bytes to 4 MB.
    fn size(&mut self) -> u64 {
        let doublings = self.below(9) + if self.below(12) == 0 { 5 } else { 0 };
        (300 + self.below(300)) << doublings
    }

    /// A third is text, a third what looks like machine code (known words, and something random between), a third tables.
    fn fill(&mut self, content: &mut Vec<u8>, size: usize) {
        content.clear();
        let kind = self.below(3);
        while content.len() < size {
            // Few words are frequent, and most are rare.
            let ceiling = 1 + self.below(6000);
            let word = self.below(ceiling) as usize;
            content.extend_from_slice(&self.words[word]);
            match kind {
                0 => content.push(if self.below(11) == 0 { b'\n' } else { b' ' }),
                1 => content.extend_from_slice(&[self.below(4) as u8, 0, self.below(256) as u8]),
                _ => content.extend_from_slice(&(content.len() as u64).to_le_bytes()),
            }
        }
        content.truncate(size);
    }
}

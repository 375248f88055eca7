//! From an image to a root filesystem: `cargo run -p solution-2 --example unpack -- IMAGE-LAYOUT TAG FOLDER`.
//!
//! ```text
//! skopeo copy docker-archive:busybox.tar oci:layout:busybox
//! unpack layout busybox rootfs && sudo chroot rootfs sh
//! ```
//! The layers are applied to one folder, from the lowest up; a whiteout removes what is there. An ordinary user does
//! this in a user namespace: `unshare --map-auto --map-root-user unpack …`.

extern crate solution_2 as layers;

use std::error::Error;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;

use layers::manifest::{Descriptor, Document, Manifest, Platform, media_type};
use layers::unpack::{Limits, Options, Whiteouts, unpack};
use layers::{Blobs, compression};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [layout, tag, folder] = arguments.as_slice() else {
        return Err("usage: unpack IMAGE-LAYOUT TAG FOLDER".into());
    };
    let blobs = Blobs::open(Path::new(layout))?;
    let manifest = find(&blobs, tag)?;
    std::fs::create_dir(folder)?;
    let root = File::open(folder)?;
    for layer in &manifest.layers {
        let name = layer.digest.to_string();
        println!("{name}  {} bytes", layer.size);
        let options = Options { layer: &name, whiteouts: Whiteouts::Apply, limits: Limits::default(), owner: None };
        let archive = compression::decompress(blobs.read(&layer.digest)?, &layer.media_type)?;
        for note in unpack(archive, root.as_fd(), &options)?.notes {
            eprintln!("note: {note}");
        }
    }
    Ok(())
}

/// Index, manifest: each names the next by its digest, so nothing can be exchanged on the way.
fn find(blobs: &Blobs, tag: &str) -> Result<Manifest, Box<dyn Error>> {
    let bytes = std::fs::read(blobs.layout().join("index.json"))?;
    let Document::Index(index) = Document::parse(&bytes, media_type::OCI_INDEX)? else {
        return Err("index.json is no index".into());
    };
    let named = |image: &&Descriptor| {
        image.annotations.get("org.opencontainers.image.ref.name").is_some_and(|name| name == tag)
    };
    let mut next = index.manifests.iter().find(named).ok_or_else(|| format!("no image is tagged {tag}"))?.clone();
    loop {
        match Document::parse(&blobs.document(&next.digest)?, &next.media_type)? {
            Document::Manifest(manifest) => return Ok(*manifest),
            Document::Index(index) => {
                next = (*index.for_platform(&Platform::host()).first().ok_or("no image for this machine")?).clone();
            }
        }
    }
}

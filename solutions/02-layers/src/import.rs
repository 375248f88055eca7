//! A root filesystem in one tar becomes an image of one layer, and a container's files become such a tar.

use crate::commit::{About, Base, NewLayer};
use crate::error::{Error, Result};
use crate::image::Config;
use crate::manifest::{Descriptor, Platform, media_type};
use crate::pack::pack;
use crate::reference::Reference;
use crate::store::{Image, Store};
use crate::unpack::Whiteouts;
use std::io::{Read, Write};
use std::os::fd::BorrowedFd;

/// What is said about an imported image.
#[derive(Clone, Debug, Default)]
pub struct Import {
    pub name: Option<Reference>,
    /// The comment of its only step; empty is Docker's `Imported from -`.
    pub message: String,
    pub config: Config,
    /// None is this machine's.
    pub platform: Option<Platform>,
    /// None is now.
    pub created: Option<jiff::Timestamp>,
}

/// Makes an image of a tar of files, which may be compressed.
///
/// # Errors
/// If the archive is refused; nothing is registered then.
pub fn import(store: &Store, from: &mut (dyn Read + Send), import: Import) -> Result<Image> {
    store.adding(|writing| {
        // A few kilobytes may inflate to more than the disk holds.
        let limit = store.limits.bytes;
        let inflated = crate::archive::inflate(from)?.take(limit.saturating_add(1));
        let (digest, size) = store.blobs().write(inflated, None, None)?;
        if size > limit {
            return Err(Error::LayerTooLarge(limit));
        }
        let layer = NewLayer { descriptor: Descriptor::new(media_type::OCI_LAYER, digest, size), diff_id: digest };
        let created = import.created.map(|time| time.to_string());
        let comment = if import.message.is_empty() { "Imported from -".to_owned() } else { import.message };
        let about = About { comment, created, ..About::default() };
        let base = Base::scratch(import.platform.unwrap_or_else(Platform::host));
        store.assemble(writing, base, Some(layer), import.config, about, import.name.as_ref())
    })
}

/// Writes all files beneath `root`, a mounted root filesystem, as a tar. Returns a line for each that could not be taken
/// along (sockets).
///
/// # Errors
/// If a file cannot be read, or the receiver goes away.
pub fn export(root: BorrowedFd<'_>, to: &mut dyn Write) -> Result<Vec<String>> {
    tracing::info!(target: "explain", man = "tar(5)", shell = "tar -cf rootfs.tar -C /merged .", "all files of the container, as one folder");
    pack(root, Whiteouts::Keep, to)
}

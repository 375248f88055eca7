//! What becomes of the result: an image of the store, an archive of it, or only its files.

use super::Site;
use crate::api::{BuildOptions, Output};
use crate::{Error, Kind, Result};
use build::progress::Event;
use layers::archive::Format;
use layers::manifest::Descriptor;
use layers::unpack::{Options, Whiteouts};
use layers::{Digest, ImageConfig, Reference, overlay};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::thread;
use tempfile::NamedTempFile;

/// A result, before it is anything.
pub(super) struct Product<'a> {
    pub recipe: ImageConfig,
    pub blobs: Vec<Descriptor>,
    /// Layers that may not be on the disk yet.
    pub unsynced: &'a [Digest],
    pub names: &'a [Reference],
}

/// Where results go, checked before anything is built.
pub(super) fn outputs(options: &BuildOptions) -> Result<Vec<Output>> {
    let mut outputs = options.outputs.clone();
    if outputs.is_empty() {
        outputs.push(Output { kind: "image".to_owned(), dest: None });
    }
    for output in &outputs {
        let makes_sense = match output.kind.as_str() {
            "image" => output.dest.is_none(),
            "docker" => true,
            "oci" | "tar" => output.dest.is_some(),
            "local" => output.dest.as_ref().is_some_and(|dest| dest != Path::new("-")),
            _ => false,
        };
        if !makes_sense {
            let dest = output.dest.as_ref().map(|dest| format!(",dest={}", dest.display())).unwrap_or_default();
            return Err(Error::new(Kind::Invalid, format!("--output type={}{dest}: not supported", output.kind)));
        }
    }
    Ok(outputs)
}

impl Site<'_> {
    /// Puts a result where it is to go. Returns the ID of the image, if the store has one now.
    pub(super) fn deliver(&self, product: &Product<'_>, outputs: &[Output]) -> Result<String> {
        let mut id = String::new();
        for output in outputs {
            match (output.kind.as_str(), &output.dest) {
                ("image" | "docker", None) => id = self.step("exporting to image", |step| self.image(product, step))?,
                ("docker", Some(dest)) => {
                    self.step("exporting to docker image format", |_| self.archive(product, Format::Both, dest))?;
                }
                ("oci", Some(dest)) => {
                    self.step("exporting to oci image format", |_| self.archive(product, Format::Oci, dest))?;
                }
                ("tar", Some(dest)) => self.step("exporting to client tarball", |_| self.tar(product, dest))?,
                (_, Some(dest)) => self.step("exporting to client directory", |_| self.local(product, dest))?,
                (kind, None) => return Err(Error::new(Kind::Invalid, format!("--output type={kind}: not supported"))),
            }
        }
        Ok(id)
    }

    fn image(&self, product: &Product<'_>, step: usize) -> Result<String> {
        let Product { recipe, blobs, unsynced, names } = product;
        let note = |what: String| (self.listener)(Event::Status { id: step, what, current: 0, total: None });
        note("exporting layers".to_owned());
        let image = self.store.compose(self.writing, recipe, blobs.clone(), unsynced, names)?;
        let id = image.id.to_string();
        note(format!("writing image {id}"));
        for name in *names {
            note(format!("naming to {}", name.canonical()));
            self.engine.tell("image", "tag", &id, &[("name", &name.to_string())]);
        }
        Ok(id)
    }

    fn archive(&self, product: &Product<'_>, format: Format, dest: &Path) -> Result<()> {
        let image = self.store.unlisted(self.writing, &product.recipe, product.blobs.clone())?;
        let images = [(image, product.names.to_vec())];
        write_to(dest, |to| Ok(layers::archive::write(self.store, &images, format, to)?))
    }

    fn tar(&self, product: &Product<'_>, dest: &Path) -> Result<()> {
        let root = self.root(product)?;
        write_to(dest, |to| self.export(&root, to))
    }

    fn export(&self, root: &OwnedFd, to: &mut dyn Write) -> Result<()> {
        for note in layers::import::export(root.as_fd(), to)? {
            tracing::warn!("{note}");
        }
        Ok(())
    }

    /// The files, in a folder of the host, where they belong to whoever built.
    fn local(&self, product: &Product<'_>, dest: &Path) -> Result<()> {
        let trouble = |e: io::Error| Error::system(format!("write to {}", dest.display()), e);
        fs::create_dir_all(dest).map_err(trouble)?;
        let (folder, root) = (File::open(dest).map_err(trouble)?, self.root(product)?);
        let owner = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        let limits = self.store.limits();
        let options = Options { layer: "the result", whiteouts: Whiteouts::Keep, limits, owner: Some(owner) };
        let (from, to) = io::pipe().map_err(trouble)?;
        thread::scope(|scope| {
            let packed = scope.spawn(move || self.export(&root, &mut BufWriter::new(to)));
            let unpacked = layers::unpack::unpack(BufReader::new(from), folder.as_fd(), &options);
            // Who fails first leaves the other with a broken pipe or half an archive: the cause is told.
            let packed = packed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            match (packed, unpacked) {
                (_, Ok(unpacked)) => {
                    unpacked.notes.iter().for_each(|note| tracing::warn!("{note}"));
                    Ok(())
                }
                (Err(error), Err(layers::Error::Archive { .. })) => Err(error),
                (_, Err(error)) => Err(error.into()),
            }
        })
    }

    /// All files of the result, read-only.
    fn root(&self, product: &Product<'_>) -> Result<OwnedFd> {
        let chain = layers::digest::chain_ids(&product.recipe.rootfs.diff_ids);
        let mut folders: Vec<_> = chain.iter().map(|chain_id| self.store.unpacked().path(chain_id)).collect();
        if folders.is_empty() {
            let nothing = self.folder.join("no-layers");
            fs::create_dir(&nothing).map_err(|e| Error::system(format!("create {}", nothing.display()), e))?;
            folders.push(nothing);
        }
        Ok(overlay::mount(&folders, None)?)
    }
}

/// Writes a file of the user's: it is there whole, or not at all. Into what is no file (a pipe, a device) it is written as
/// it comes; `-` is standard output.
fn write_to(dest: &Path, work: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let trouble = |e: io::Error| Error::system(format!("write to {}", dest.display()), e);
    if dest == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        work(&mut out)?;
        return out.flush().map_err(trouble);
    }
    if fs::metadata(dest).is_ok_and(|there| !there.is_file()) {
        let mut out = BufWriter::new(File::options().write(true).open(dest).map_err(trouble)?);
        work(&mut out)?;
        return out.flush().map_err(trouble);
    }
    let folder = dest.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let usual = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let file = tempfile::Builder::new().prefix(".kesako-").permissions(usual).tempfile_in(folder).map_err(trouble)?;
    let mut out = BufWriter::new(file);
    work(&mut out)?;
    let file: NamedTempFile = out.into_inner().map_err(|e| trouble(e.into_error()))?;
    file.persist(dest).map_err(|e| trouble(e.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_nowhere_is_refused_before_anything_is_built() {
        let checked = |kind: &str, dest: Option<&str>| {
            let output = Output { kind: kind.to_owned(), dest: dest.map(Into::into) };
            outputs(&BuildOptions { outputs: vec![output], ..BuildOptions::default() })
        };
        for (kind, dest) in
            [("image", None), ("docker", None), ("docker", Some("x")), ("tar", Some("-")), ("local", Some("x"))]
        {
            assert!(checked(kind, dest).is_ok(), "{kind} {dest:?}");
        }
        for (kind, dest) in [("image", Some("x")), ("oci", None), ("local", Some("-")), ("zip", Some("x")), ("", None)]
        {
            assert_eq!(checked(kind, dest).unwrap_err().kind, Kind::Invalid, "{kind} {dest:?}");
        }
        assert_eq!(outputs(&BuildOptions::default()).unwrap()[0].kind, "image");
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join("out.tar");
        fs::write(&dest, "old").unwrap();
        let failed = write_to(&dest, |to| {
            to.write_all(b"half").unwrap();
            Err(Error::new(Kind::System, "the disk is full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&dest).unwrap(), "old");
        write_to(&dest, |to| to.write_all(b"new").map_err(|e| Error::system("write", e))).unwrap();
        assert_eq!(fs::read_to_string(&dest).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

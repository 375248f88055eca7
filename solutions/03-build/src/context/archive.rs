//! A context on its way to a builder that cannot see it: an archive of what the build may see.

use super::tree::Tree;
use super::walk::{Select, walk};
use crate::error::{Error, Result};
use crate::ignore::{self, Ignore};
use layers::pack::Packer;
use layers::unpack::Whiteouts;
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::io::Write;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

/// What is sent.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// The context, but for what its `.dockerignore` excludes. None: no files.
    pub folder: Option<PathBuf>,
    /// The Dockerfile in it, which is sent in any case; empty is `Dockerfile`.
    pub dockerfile: String,
    /// What is excluded, instead of what the context itself says.
    pub ignore: Option<String>,
    /// Further files: a Dockerfile that is not in the folder.
    pub texts: Vec<(String, String)>,
}

impl Outgoing {
    /// Writes the archive: sorted, and never more of a file in memory than a few blocks.
    ///
    /// # Errors
    /// If a file cannot be read, or the archive not be written.
    pub fn write(&self, to: &mut dyn Write) -> Result<()> {
        let Some(folder) = &self.folder else {
            return self.finish(Packer::new(CWD, Whiteouts::Keep, to));
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, folder, flags, Mode::empty()).map_err(Error::io("open the build context", folder))?;
        let mut tree = Tree::folder(root, "context", None)?;
        let rules = self.rules(&tree)?;
        tree.set_ignore(rules);
        let mut packer = Packer::new(tree.root().as_fd(), Whiteouts::Keep, to);
        for entry in walk(&tree, Path::new(""), &Select::default())? {
            packer.path(&entry.path)?;
        }
        self.finish(packer)
    }

    fn finish(&self, mut packer: Packer<'_>) -> Result<()> {
        for (name, text) in &self.texts {
            packer.text(name, text.as_bytes())?;
        }
        for note in packer.finish()? {
            tracing::warn!("{note}");
        }
        Ok(())
    }

    /// What is excluded; but the builder reads the Dockerfile and the rules themselves, and so they are sent whatever
    /// these say.
    fn rules(&self, tree: &Tree) -> Result<Ignore> {
        let dockerfile = if self.dockerfile.is_empty() { "Dockerfile" } else { &self.dockerfile };
        let beside = format!("{dockerfile}{}", ignore::FILE);
        let (name, mut text) = match &self.ignore {
            Some(text) => (beside.as_str(), text.clone().into_bytes()),
            None => match (tree.read(&beside)?, tree.read(ignore::FILE)?) {
                (Some(text), _) => (beside.as_str(), text),
                (None, Some(text)) => (ignore::FILE, text),
                (None, None) => return Ok(Ignore::default()),
            },
        };
        for kept in [dockerfile, ignore::FILE, &beside] {
            text.extend_from_slice(format!("\n!{}", literal(kept)).as_bytes());
        }
        Ignore::parse(name, &text)
    }
}

/// A pattern that speaks of this path only.
fn literal(path: &str) -> String {
    let escape = |c: char| if "*?[]\\".contains(c) { format!("\\{c}") } else { c.to_string() };
    path.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The names in the archive.
    fn sent(outgoing: &Outgoing) -> Vec<String> {
        let mut archive = Vec::new();
        outgoing.write(&mut archive).unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| entry.path().unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_is_ignored_stays_and_the_dockerfile_goes_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("Docker[file", "FROM a"),
            (".dockerignore", "*\n!src\n**/*.o"),
            ("secret", "x"),
            ("src/a.c", "x"),
            ("src/a.o", "x"),
        ] {
            fs::create_dir_all(folder.path().join("src")).unwrap();
            fs::write(folder.path().join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("src/link")).unwrap();
        let context = Some(folder.path().to_owned());
        let mut outgoing = Outgoing { folder: context, dockerfile: "Docker[file".into(), ..Outgoing::default() };
        assert_eq!(sent(&outgoing), [".dockerignore", "Docker[file", "src/", "src/a.c", "src/link"]);
        // Rules from elsewhere.
        outgoing.ignore = Some("src".into());
        outgoing.texts.push(("D".into(), "FROM b".into()));
        assert_eq!(sent(&outgoing), [".dockerignore", "Docker[file", "secret", "D"]);
        // No folder at all.
        outgoing.folder = None;
        assert_eq!(sent(&outgoing), ["D"]);
    }
}

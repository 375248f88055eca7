//! `-v`: a mount in one word.
//!
//! ```text
//!   /data                   a volume without a name
//!   name:/data              a volume of this name, made if there is none
//!   /srv/data:/data         a folder or file of the host
//!   name:/data:ro,nocopy    with a mode
//! ```
//!
//! It is read twice. On the command line ([`Flag`]), where a path may be relative to where the user is; and by the engine
//! ([`parse`]), which may be on another machine, and to which only whole paths mean anything.

use crate::mode::Mode;
use crate::mount_point::{MountPoint, clean};
use crate::request::MountRequest;
use crate::{Error, Result};
use std::path::Path;

/// What `-v` says on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// A volume without a name, at this place.
    Anonymous(String),
    /// For the engine to read, with [`parse`].
    Mount(String),
}

impl Flag {
    /// Reads a `-v`. `here` is the folder that a relative path begins at: one that starts with a dot, for a word without
    /// one is the name of a volume.
    ///
    /// # Errors
    /// [`Error::Flag`] for what has an empty part, or too many of them.
    pub fn parse(text: &str, here: &Path) -> Result<Self> {
        let wrong = |why: &str| Err(Error::Flag(format!("invalid spec: {text}: {why}")));
        if text.is_empty() {
            return Err(Error::Flag("invalid empty volume spec".to_owned()));
        }
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            parts if parts.contains(&"") => wrong("empty section between colons"),
            [target] => Ok(Self::Anonymous((*target).to_owned())),
            [_, _, _, _, ..] => wrong("too many colons"),
            [source, rest @ ..] if source.starts_with('.') => {
                let absolute = clean(&here.join(source).to_string_lossy());
                Ok(Self::Mount(format!("{absolute}:{}", rest.join(":"))))
            }
            _ => Ok(Self::Mount(text.to_owned())),
        }
    }
}

/// The parts of a `-v`: source, target and mode. The source is empty where there is only a target, the mode where nobody gave
/// one.
///
/// Three shapes are right: `target`, `source:target` and `source:target:mode`. There is one trap: `name:rw` looks like a source and a
/// target, but its second part is a mode (`is_mode` tells), and a volume without a name cannot have one. That, an empty first
/// part, and more than three parts are [`Error::Specification`] with the whole text; a third part that is no mode is
/// [`Error::Mode`] with that part.
///
/// # Errors
/// As said.
pub fn parts(text: &str) -> Result<(&str, &str, &str)> {
    // exercise: 5.1 parts: one, two or three parts between colons, and the trap
    todo!("exercise 5.1, parts: one, two or three parts between colons, and the trap")
    // end exercise
}

/// Whether a text is a mode: `ro`, `rw,z`, `nocopy`, `rshared`, … The empty one is, too: it says nothing.
pub fn is_mode(text: &str) -> bool {
    Mode::parse(text).is_some()
}

/// Reads a `-v` as the engine is told it.
///
/// # Errors
/// [`Error::Specification`], [`Error::Mode`], or [`Error::Short`] with the reason why there cannot be such a mount.
pub fn parse(text: &str, driver: &str) -> Result<MountPoint> {
    let (source, target, mode) = parts(text)?;
    let words = Mode::parse(mode).unwrap_or_default();
    // What begins with a slash is a path of the host; anything else must be the name of a volume.
    let kind = if source.starts_with('/') { "bind" } else { "volume" };
    let mut request = MountRequest {
        r#type: kind.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
        read_only: words.read_only,
        ..MountRequest::default()
    };
    if words.no_copy {
        request.volume_options_mut().no_copy = true;
    }
    if !driver.is_empty() && kind == "volume" {
        driver.clone_into(&mut request.driver_mut().name);
    }
    if let Some(propagation) = words.propagation {
        propagation.as_str().clone_into(&mut request.bind_options_mut().propagation);
    }
    let point = request.point().map_err(|source| short(text, source))?;
    let point = if mode.is_empty() { point } else { MountPoint { mode: mode.to_owned(), ..point } };
    // Nobody who types `-v` is told that a folder is missing: it is made.
    Ok(point.with_source_made())
}

fn short(text: &str, source: Error) -> Error {
    Error::Short { specification: text.to_owned(), source: Box::new(source) }
}

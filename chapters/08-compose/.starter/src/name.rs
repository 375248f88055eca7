//! What a project is called.

use crate::error::{Error, Result};

/// The project's name: as somebody asked for it (`-p`, `COMPOSE_PROJECT_NAME`), else as its file says, else its folder's.
///
/// Containers, networks and volumes will bear it, so it has small letters, digits, `-` and `_` only, and of these the latter two
/// are not at its beginning. From the file's name and the folder's, what does not fit is left out: `My Project!` is `myproject`.
/// A name that was asked for is taken as it is, or not at all.
///
/// # Errors
/// [`Error::ProjectName`], with the name that was asked for and does not fit; [`Error::NoProjectName`] where nothing is left.
pub fn chosen(asked: Option<&str>, in_file: Option<&str>, folder: &str) -> Result<String> {
    // exercise: 8.1 chosen: choose one of three, and see that it fits
    todo!("exercise 8.1, chosen: choose one of three, and see that it fits")
    // end exercise
}

/// A project's name where there is no file.
///
/// # Errors
/// As [`chosen`].
pub fn checked(name: &str) -> Result<String> {
    chosen(Some(name), None, "")
}

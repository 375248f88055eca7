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
    let fits = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    let name = asked.or(in_file).unwrap_or(folder);
    let fitted: String = name.to_lowercase().chars().filter(fits).collect();
    let fitted = fitted.trim_start_matches(['_', '-']);
    match asked {
        Some(asked) if asked != fitted => Err(Error::ProjectName(asked.to_owned())),
        _ if fitted.is_empty() => Err(Error::NoProjectName),
        _ => Ok(fitted.to_owned()),
    }
    // end exercise
}

/// A project's name where there is no file.
///
/// # Errors
/// As [`chosen`].
pub fn checked(name: &str) -> Result<String> {
    chosen(Some(name), None, "")
}

//! What a project is called.

use crate::error::{Error, Result};

/// A name as a project's: small letters, digits, `-` and `_`, of which the latter two are not at its beginning; what is none of that
/// is left out. `My Project!` is `myproject`.
pub fn normalised(name: &str) -> String {
    let kept = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    let name: String = name.to_lowercase().chars().filter(kept).collect();
    name.trim_start_matches(['_', '-']).to_owned()
}

/// A name that somebody gave: nothing of it is left out behind their back.
///
/// # Errors
/// It is not as a project's name must be.
pub fn checked(name: &str) -> Result<String> {
    if normalised(name) == name { Ok(name.to_owned()) } else { Err(Error::ProjectName(name.to_owned())) }
}

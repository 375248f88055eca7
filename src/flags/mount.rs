//! `-v` and `--mount`: read by the chapter on volumes, with the folder that this command was called in.

use super::size;
use anyhow::Result;
use engine::api::{Empty, Keys, MountRequest};
use std::path::PathBuf;
use volumes::{long, short};

/// `--mount type=bind,source=/a,target=/b`.
pub fn parse(text: &str) -> Result<MountRequest, String> {
    let bytes = |text: &str| size::bytes(text).ok();
    long::parse(text, &here(), bytes).map_err(|error| error.to_string())
}

/// All of `-v`: the places of volumes without a name, and what the engine shall read itself.
pub fn short(flags: &[String]) -> Result<(Keys, Vec<String>)> {
    let (mut anonymous, mut binds) = (Keys::new(), Vec::new());
    for flag in flags {
        match short::Flag::parse(flag, &here())? {
            short::Flag::Anonymous(target) => {
                anonymous.insert(target, Empty {});
            }
            short::Flag::Mount(text) => binds.push(text),
        }
    }
    Ok((anonymous, binds))
}

/// A folder that was deleted has no path; then a relative one means nothing, and the engine will say so.
fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

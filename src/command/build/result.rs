//! What is written of a build that went well: `--iidfile`, `--metadata-file`, and the ID that `-q` prints.

use super::Build;
use crate::flags::environment::go_text;
use anyhow::{Result, anyhow};
use serde_json::json;

/// Removes the files that are going to be written.
pub(super) fn forget(flags: &Build) -> Result<()> {
    for path in flags.iidfile.iter().chain(&flags.metadata_file) {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(anyhow!("removing {path}: {}", go_text(&error)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes them. The ID is empty where no image was made.
pub(super) fn write(flags: &Build, id: &str) -> Result<()> {
    let write = |path: &str, text: String| {
        std::fs::write(path, text).map_err(|error| anyhow!("failed to write {path}: {}", go_text(&error)))
    };
    if let Some(path) = &flags.iidfile {
        if id.is_empty() {
            return Err(anyhow!("cannot write {path}: no image was made"));
        }
        write(path, id.to_owned())?;
    }
    if let Some(path) = &flags.metadata_file {
        let mut metadata = json!({});
        if !id.is_empty() {
            // Both, as Docker has them: where images are known by their configs, the two are one.
            metadata["containerimage.config.digest"] = id.into();
            metadata["containerimage.digest"] = id.into();
        }
        if !flags.tag.is_empty() {
            metadata["image.name"] = flags.tag.join(",").into();
        }
        write(path, serde_json::to_string_pretty(&metadata)?)?;
    }
    Ok(())
}

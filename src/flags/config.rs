//! Docker's own configuration file, for the few settings that are a user's habits: the keys that detach, and the formats
//! of `ps` and `images`.

use std::path::PathBuf;

/// A setting of `~/.docker/config.json` (or the one in `$DOCKER_CONFIG`), if there is such a file and it says.
pub fn setting(name: &str) -> Option<String> {
    let folder = match std::env::var_os("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".docker"),
    };
    let text = std::fs::read(folder.join("config.json")).ok()?;
    let settings: serde_json::Value = serde_json::from_slice(&text).ok()?;
    Some(settings.get(name)?.as_str()?.to_owned())
}

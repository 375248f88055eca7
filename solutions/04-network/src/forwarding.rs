//! Whether the host passes packets on from one link to another: off on most machines, and without it no container reaches the world.
//! It is switched on with the first network, and what it was is remembered, to be restored after the last.

use crate::{Error, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const SWITCHES: [(&str, &str); 2] =
    [("ipv4", "/proc/sys/net/ipv4/ip_forward"), ("ipv6", "/proc/sys/net/ipv6/conf/all/forwarding")];

/// Switches forwarding on, and remembers in a file of `folder` that it was off.
///
/// # Errors
/// The switch cannot be turned.
pub fn enable(folder: &Path, ipv6: bool) -> Result<()> {
    for (name, switch) in SWITCHES.iter().filter(|(name, _)| ipv6 || *name == "ipv4") {
        if is_on(switch) {
            continue;
        }
        tracing::info!(target: "explain", man = "sysctl(8)", shell = format!("echo 1 > {switch}"),
            "this host passes packets on from now on");
        let note = folder.join(format!("forwarding-{name}-was-off"));
        fs::write(&note, "").map_err(Error::file(format!("write {}", note.display())))?;
        fs::write(switch, "1").map_err(Error::file(format!("write {switch}")))?;
    }
    Ok(())
}

/// Puts it back as it was. Not when somebody else needs it now (`keep`): then it is only forgotten.
///
/// # Errors
/// The switch cannot be turned.
pub fn restore(folder: &Path, keep: bool) -> Result<()> {
    for (name, switch) in SWITCHES {
        let note = folder.join(format!("forwarding-{name}-was-off"));
        match fs::remove_file(&note) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            removed => removed.map_err(Error::file(format!("remove {}", note.display())))?,
        }
        if !keep {
            fs::write(switch, "0").map_err(Error::file(format!("write {switch}")))?;
        }
    }
    Ok(())
}

fn is_on(switch: &str) -> bool {
    fs::read_to_string(switch).is_ok_and(|value| value.trim() != "0")
}

//! Whether the host's own mount lets anything through: propagation needs two sides (mount_namespaces(7), "Shared
//! subtrees").

use crate::{Error, Kind, Result};
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use volumes::Bind;

/// Refuses a propagation that could not come true, in Docker's words.
pub(super) fn check(bind: &Bind) -> Result<()> {
    if !bind.propagation.goes_up() && !bind.propagation.goes_down() {
        return Ok(());
    }
    let text =
        std::fs::read_to_string("/proc/self/mountinfo").map_err(|e| Error::system("read /proc/self/mountinfo", e))?;
    // What is not there is told when it is mounted.
    let Ok(found) = statx(CWD, &bind.path, AtFlags::empty(), StatxFlags::MNT_ID) else { return Ok(()) };
    let Some(mount) = text.lines().find_map(|line| Mount::parse(line).filter(|mount| mount.id == found.stx_mnt_id))
    else {
        return Ok(());
    };
    let (fits, kind) = match bind.propagation.goes_up() {
        true => (mount.shared, "shared"),
        false => (mount.shared || mount.slave, "shared or slave"),
    };
    if fits {
        return Ok(());
    }
    let text = format!("path {} is mounted on {} but it is not a {kind} mount", bind.path, mount.place);
    Err(Error::new(Kind::System, text))
}

/// A line of mountinfo (proc_pid_mountinfo(5)).
struct Mount<'a> {
    id: u64,
    place: &'a str,
    shared: bool,
    slave: bool,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(' ');
        let id = fields.next()?.parse().ok()?;
        let place = fields.nth(3)?;
        // Optional fields, up to a dash.
        let notes: Vec<_> = fields.skip(1).take_while(|field| *field != "-").collect();
        let has = |prefix: &str| notes.iter().any(|note| note.starts_with(prefix));
        Some(Self { id, place, shared: has("shared:"), slave: has("master:") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_groups_are_read_from_the_optional_fields() {
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,shared:9";
        let mount = Mount::parse(line).unwrap();
        assert_eq!((mount.id, mount.place, mount.shared, mount.slave), (36, "/mnt2", false, true));
        let mount = Mount::parse("1 0 8:1 / / rw shared:2 master:3 - ext4 /dev/sda rw").unwrap();
        assert!(mount.shared && mount.slave);
    }
}

// mistake: where it is mounted counts, also for those that say the same id
let mut key = format!("id {}\ntarget {}\n", mount.id.as_deref().unwrap_or_default(), cleaned(mount.target.as_deref().unwrap_or_default()));
if let Some(from) = from {
    key += &format!("from {from} {}\n", cleaned(mount.source.as_deref().unwrap_or("/")));
}
key + &format!("{:?} {:?} {:?}", mount.mode, mount.uid, mount.gid)

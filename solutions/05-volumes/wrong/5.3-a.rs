// mistake: the mode before the owner, who takes the set-user-ID bit away
fchmod(copy, original.mode)?;
fchown(copy, Some(original.uid), Some(original.gid))?;
for (name, value) in &original.xattrs {
    set_xattr(copy, name, value)?;
}
futimens(copy, &original.times)

// mistake: the extended attributes before the owner, so that a program loses its capabilities
for (name, value) in &original.xattrs {
    set_xattr(copy, name, value)?;
}
fchown(copy, Some(original.uid), Some(original.gid))?;
fchmod(copy, original.mode)?;
futimens(copy, &original.times)

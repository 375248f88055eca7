// mistake: the old root is not unmounted, and lies on top of the new one
fchdir(root)?;
pivot_root(c".", c".")?;
rustix::process::chdir(c"/")

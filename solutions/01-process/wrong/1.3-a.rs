// mistake: chroot, which leaves the old root mounted, and lets a process climb back
fchdir(root)?;
rustix::process::chroot(c".")?;
rustix::process::chdir(c"/")

// mistake: whatever is named is made, even what has a path and exists already
let mut flags = 0;
for namespace in wanted {
    flags |= match namespace.typ() {
        Kind::Mount => libc::CLONE_NEWNS as u64,
        Kind::Uts => libc::CLONE_NEWUTS as u64,
        Kind::Ipc => libc::CLONE_NEWIPC as u64,
        Kind::Pid => libc::CLONE_NEWPID as u64,
        Kind::Network => libc::CLONE_NEWNET as u64,
        Kind::User => libc::CLONE_NEWUSER as u64,
        Kind::Time => CLONE_NEWTIME,
        Kind::Cgroup => 0,
    };
}
flags

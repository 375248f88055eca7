// mistake: the cgroup namespace is made by the clone too, while the child is still in the engine's cgroup
let mut flags = 0;
for namespace in wanted {
    if namespace.path().as_ref().is_some_and(|path| !path.as_os_str().is_empty()) {
        continue;
    }
    flags |= match namespace.typ() {
        Kind::Mount => libc::CLONE_NEWNS as u64,
        Kind::Uts => libc::CLONE_NEWUTS as u64,
        Kind::Ipc => libc::CLONE_NEWIPC as u64,
        Kind::Pid => libc::CLONE_NEWPID as u64,
        Kind::Network => libc::CLONE_NEWNET as u64,
        Kind::User => libc::CLONE_NEWUSER as u64,
        Kind::Time => CLONE_NEWTIME,
        Kind::Cgroup => libc::CLONE_NEWCGROUP as u64,
    };
}
flags

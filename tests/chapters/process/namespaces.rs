//! 1.2: which namespaces are new.
#![allow(unsafe_code)]

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::sandbox::sandboxed;
use process::namespaces::clone_flags;
use process::oci::{LinuxNamespace, LinuxNamespaceType as Kind};

fn namespace(kind: Kind, path: Option<&str>) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(kind).set_path(path.map(Into::into));
    namespace
}

#[test]
fn each_kind_has_its_flag() {
    assert_eq!(clone_flags(&[]), 0, "who asks for no namespace shares all of them with the host: no flag");
    // linux/sched.h
    let flags = [
        (Kind::Mount, 0x0002_0000, "CLONE_NEWNS"),
        (Kind::Uts, 0x0400_0000, "CLONE_NEWUTS"),
        (Kind::Ipc, 0x0800_0000, "CLONE_NEWIPC"),
        (Kind::User, 0x1000_0000, "CLONE_NEWUSER"),
        (Kind::Pid, 0x2000_0000, "CLONE_NEWPID"),
        (Kind::Network, 0x4000_0000, "CLONE_NEWNET"),
        (Kind::Time, 0x80, "CLONE_NEWTIME"),
    ];
    let mut all = (Vec::new(), 0);
    for (kind, flag, name) in flags {
        let found = clone_flags(&[namespace(kind, None)]);
        assert_eq!(found, flag, "a new {kind} namespace is {name}, {flag:#x}, not {found:#x}. Read namespaces(7).");
        all.0.push(namespace(kind, None));
        all.1 |= flag;
    }
    let found = clone_flags(&all.0);
    assert_eq!(found, all.1, "all of them together are all flags together, {:#x}, not {found:#x}", all.1);
}

#[test]
fn what_has_a_path_exists_already() {
    let shared = [namespace(Kind::Network, Some("/proc/1234/ns/net")), namespace(Kind::Uts, None)];
    assert_eq!(
        clone_flags(&shared),
        libc::CLONE_NEWUTS as u64,
        "the network namespace has a path: it is another container's, and is joined (setns(2)). With CLONE_NEWNET the container would \
         get a new, empty one instead. Read the OCI runtime-spec, config-linux.md, \"Namespaces\"."
    );
    assert_eq!(
        clone_flags(&[namespace(Kind::Network, Some(""))]),
        libc::CLONE_NEWNET as u64,
        "an empty path is no path: the namespace is to be new"
    );
}

#[test]
fn a_cgroup_namespace_is_not_for_the_clone() {
    assert_eq!(
        clone_flags(&[namespace(Kind::Cgroup, None), namespace(Kind::Mount, None)]),
        libc::CLONE_NEWNS as u64,
        "the root of a cgroup namespace is the cgroup that its maker is in. Made by the clone, it could be the engine's; the child makes it \
         later, from its own. Read cgroup_namespaces(7)."
    );
}

/// Where a process's namespaces are, if it makes those of `flags` first. Of its child, that is: a new PID namespace is for children only.
fn links(flags: u64) -> Vec<String> {
    let mut command = Command::new("sh");
    command.args(["-c", "(cd /proc/self/ns && readlink mnt uts ipc net pid); exit"]);
    let flags = nix::sched::CloneFlags::from_bits_retain(flags as i32);
    // SAFETY: the closure makes one system call.
    unsafe { command.pre_exec(move || Ok(nix::sched::unshare(flags)?)) };
    let output = command.output().expect("unshare(2) with these flags");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

sandboxed! {
    fn the_kernel_makes_what_was_asked_for() {
        let host = links(0);
        let mut table = format!("{:<20}mount       uts         ipc         network     pid\n", "asked for");
        let docker = [Kind::Mount, Kind::Uts, Kind::Ipc, Kind::Network, Kind::Pid];
        let lists: [(&str, &[Kind]); 5] = [
            ("nothing", &[]),
            ("mount", &[Kind::Mount]),
            ("uts, ipc", &[Kind::Uts, Kind::Ipc]),
            ("all but network", &[Kind::Mount, Kind::Uts, Kind::Ipc, Kind::Pid]),
            ("all", &docker),
        ];
        for (name, kinds) in lists {
            let wanted: Vec<_> = kinds.iter().map(|&kind| namespace(kind, None)).collect();
            let found = links(clone_flags(&wanted));
            table += &format!("{name:<20}");
            for (found, host) in found.iter().zip(&host) {
                table += if found == host { "the host's  " } else { "its own     " };
            }
            table = table.trim_end().to_owned() + "\n";
        }
        // Of a real process. Where a word differs, the flag of that column is missing, or one too many.
        insta::assert_snapshot!("namespaces_of_a_process", table);
    }
}

//! 1.2: which namespaces are new.
#![allow(unsafe_code)]

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::expect::expect;
use super::sandbox::sandboxed;
use process::namespaces::clone_flags;
use process::oci::{LinuxNamespace, LinuxNamespaceType as Kind};

fn namespace(kind: Kind, path: Option<&str>) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(kind).set_path(path.map(Into::into));
    namespace
}

/// linux/sched.h
const FLAGS: [(Kind, u64, &str); 8] = [
    (Kind::Mount, 0x0002_0000, "CLONE_NEWNS"),
    (Kind::Cgroup, 0x0200_0000, "CLONE_NEWCGROUP"),
    (Kind::Uts, 0x0400_0000, "CLONE_NEWUTS"),
    (Kind::Ipc, 0x0800_0000, "CLONE_NEWIPC"),
    (Kind::User, 0x1000_0000, "CLONE_NEWUSER"),
    (Kind::Pid, 0x2000_0000, "CLONE_NEWPID"),
    (Kind::Network, 0x4000_0000, "CLONE_NEWNET"),
    (Kind::Time, 0x80, "CLONE_NEWTIME"),
];

/// `CLONE_NEWUTS | CLONE_NEWNET`
fn names(flags: u64) -> String {
    let mut names: Vec<_> =
        FLAGS.iter().filter(|(_, flag, _)| flags & flag != 0).map(|(_, _, name)| (*name).to_owned()).collect();
    let strange = FLAGS.iter().fold(flags, |flags, (_, flag, _)| flags & !flag);
    if strange != 0 {
        names.push(format!("{strange:#x}, which is no namespace"));
    }
    if names.is_empty() { "no flag".to_owned() } else { names.join(" | ") }
}

/// What the clone is asked for, for these.
#[track_caller]
fn expect_flags(wanted: &[LinuxNamespace], flags: &str, why: &str) {
    expect(names(clone_flags(wanted)), flags.to_owned(), why);
}

#[test]
fn each_kind_has_its_flag() {
    expect_flags(&[], "no flag", "Who asks for no namespace shares them all with the host.");
    let for_clone = FLAGS.iter().filter(|(kind, ..)| *kind != Kind::Cgroup);
    for (kind, flag, name) in for_clone.clone() {
        let why = format!("A new {kind} namespace was asked for, and {name}, {flag:#x}, makes it. Read namespaces(7).");
        expect_flags(&[namespace(*kind, None)], name, &why);
    }
    let all: Vec<_> = for_clone.clone().map(|(kind, ..)| namespace(*kind, None)).collect();
    let flags = for_clone.fold(0, |all, (_, flag, _)| all | flag);
    expect_flags(&all, &names(flags), "All kinds were asked for at once. Flags are put together with `|`.");
}

#[test]
fn what_has_a_path_exists_already() {
    expect_flags(
        &[namespace(Kind::Network, Some("/proc/1234/ns/net")), namespace(Kind::Uts, None)],
        "CLONE_NEWUTS",
        "The network namespace has a path: it is another container's, and is joined (setns(2)). With CLONE_NEWNET the container would \
         get a new, empty one instead. Read the OCI runtime-spec, config-linux.md, \"Namespaces\".",
    );
    expect_flags(&[namespace(Kind::Network, Some(""))], "CLONE_NEWNET", "An empty path is no path: it is to be new.");
}

#[test]
fn a_cgroup_namespace_is_not_for_the_clone() {
    expect_flags(
        &[namespace(Kind::Cgroup, None), namespace(Kind::Mount, None)],
        "CLONE_NEWNS",
        "The root of a cgroup namespace is the cgroup that its maker is in. Made by the clone, it could be the engine's; the child makes \
         it later, from its own. Read cgroup_namespaces(7).",
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
        let description = "Real processes, and which namespaces each has after unshare(2) with the flags for what was asked for. Where a word \
                           differs, the flag of that column is missing, or one too many. Read namespaces(7).";
        insta::with_settings!({ description => description }, { insta::assert_snapshot!("namespaces_of_a_process", table) });
    }
}

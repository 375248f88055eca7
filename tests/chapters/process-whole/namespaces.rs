//! A view of the world of its own.

use super::sandbox::{Bundle, kill, sandboxed};
use process::oci::{self, LinuxNamespaceType as Kind};

#[test]
fn a_container_sees_itself_alone() {
    sandboxed("namespaces::a_container_sees_itself_alone", || {
        let output =
            Bundle::new("echo $$; cat /proc/sys/kernel/hostname; ls -d /proc/[0-9]*; cat /proc/net/dev | wc -l")
                .output();
        let lines: Vec<_> = output.lines().collect();
        assert_eq!(lines[0], "1", "the first process of a PID namespace is number 1");
        assert_eq!(lines[1], "inside", "the hostname belongs to its UTS namespace");
        assert_eq!(lines[2], "/proc/1", "its /proc must show its own PID namespace, and no process of the host");
        assert_eq!(lines.last(), Some(&"3"), "two lines of header and one interface: the loopback");
    });
}

#[test]
fn the_loopback_is_up() {
    sandboxed("namespaces::the_loopback_is_up", || {
        // The second hexadecimal digit from the right holds no flag we look at; IFF_UP is bit 0.
        let flags = Bundle::new("cat /sys/class/net/lo/flags").output();
        let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).unwrap();
        assert_eq!(flags & 1, 1, "a new network namespace has a loopback interface, but it is down");
    });
}

#[test]
fn the_host_keeps_its_name_and_mounts() {
    sandboxed("namespaces::the_host_keeps_its_name_and_mounts", || {
        let before = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        Bundle::new("true").output();
        assert_eq!(std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), before);
        assert_ne!(before.trim(), "inside");
    });
}

#[test]
fn a_namespace_that_is_not_named_is_the_hosts() {
    sandboxed("namespaces::a_namespace_that_is_not_named_is_the_hosts", || {
        let own = |name: &str| std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap().display().to_string();
        let mut bundle = Bundle::new("for n in net uts pid; do readlink /proc/self/ns/$n; done");
        bundle.spec.set_hostname(None);
        bundle.linux(|linux| {
            linux
                .namespaces_mut()
                .as_mut()
                .unwrap()
                .retain(|namespace| !matches!(namespace.typ(), Kind::Network | Kind::Uts));
        });
        let output = bundle.output();
        let lines: Vec<_> = output.lines().collect();
        assert_eq!(lines[..2], [own("net"), own("uts")]);
        assert_ne!(lines[2], own("pid"));
    });
}

#[test]
fn without_rights_over_the_hosts_namespaces_its_own_mounts_are_shown() {
    sandboxed("namespaces::without_rights_over_the_hosts_namespaces_its_own_mounts_are_shown", || {
        // The test's user namespace owns neither the PID nor the IPC namespace that it is in.
        let mut bundle =
            Bundle::new("test $$ -gt 1 && grep '^NSpid:.*[0-9]' /proc/$$/status | wc -w; touch /proc/sys/kernel/x");
        bundle.linux(|linux| {
            linux
                .namespaces_mut()
                .as_mut()
                .unwrap()
                .retain(|namespace| !matches!(namespace.typ(), Kind::Pid | Kind::Ipc));
        });
        let mounts = bundle.spec.mounts_mut().as_mut().unwrap();
        mounts.retain(|mount| mount.typ().as_deref() != Some("mqueue"));
        let output = bundle.run().output;
        assert!(output.starts_with("2\n"), "one number, that of the host's namespace: {output}");
    });
}

#[test]
fn two_containers_can_share_a_network() {
    sandboxed("namespaces::two_containers_can_share_a_network", || {
        let first = Bundle::new("readlink /proc/self/ns/net; exec sleep 1000");
        let (running, mut output) = first.start().unwrap();
        output.expect("net:");
        let mut second = Bundle::new("readlink /proc/self/ns/net");
        second.linux(|linux| {
            for namespace in linux.namespaces_mut().as_mut().unwrap() {
                if namespace.typ() == Kind::Network {
                    namespace.set_path(Some(format!("/proc/{}/ns/net", running.pid).into()));
                }
            }
        });
        let home = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        assert_eq!(second.output(), output.text().trim_end());
        assert_eq!(
            std::fs::read_link("/proc/thread-self/ns/net").unwrap(),
            home,
            "the engine must go back to its own network"
        );
        kill(&running);
    });
}

#[test]
fn a_user_namespace_of_its_own() {
    sandboxed("namespaces::a_user_namespace_of_its_own", || {
        let mut bundle = Bundle::new("cat /proc/self/uid_map; readlink /proc/self/ns/user; id -u");
        let map = oci::LinuxIdMappingBuilder::default().container_id(0_u32).host_id(0_u32).size(1_u32).build().unwrap();
        bundle.linux(|linux| {
            let mut user = oci::LinuxNamespace::default();
            user.set_typ(Kind::User).set_path(None);
            linux.namespaces_mut().as_mut().unwrap().push(user);
            linux.set_uid_mappings(Some(vec![map])).set_gid_mappings(Some(vec![map]));
        });
        let output = bundle.output();
        let own = std::fs::read_link("/proc/self/ns/user").unwrap().display().to_string();
        let lines: Vec<_> = output.lines().collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["0", "0", "1"]);
        assert_ne!(lines[1], own);
        assert_eq!(lines[2], "0");
    });
}

#[test]
fn a_sysctl_of_its_own_network() {
    sandboxed("namespaces::a_sysctl_of_its_own_network", || {
        let mut bundle =
            Bundle::new("cat /proc/sys/net/ipv4/ip_unprivileged_port_start; echo 1 > /proc/sys/net/ipv4/ip_forward");
        bundle.linux(|linux| {
            linux.set_sysctl(Some([("net.ipv4.ip_unprivileged_port_start".to_owned(), "77".to_owned())].into()));
        });
        let ended = bundle.run();
        assert!(ended.output.starts_with("77\n"), "{}", ended.output);
        assert!(ended.output.contains("Read-only file system"), "/proc/sys is read-only inside: {}", ended.output);
    });
}

#[test]
fn a_sysctl_that_does_not_exist_is_named() {
    sandboxed("namespaces::a_sysctl_that_does_not_exist_is_named", || {
        let mut bundle = Bundle::new("true");
        bundle.linux(|linux| {
            linux.set_sysctl(Some([("net.ipv4.nonesuch".to_owned(), "1".to_owned())].into()));
        });
        let error = bundle.error().to_string();
        assert!(error.ends_with("write /proc/sys/net/ipv4/nonesuch: no such file or directory"), "{error}");
    });
}

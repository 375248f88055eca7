//! Another process in a container that runs.

use super::sandbox::{Bundle, kill, sandboxed};

fn sleeper() -> Bundle {
    Bundle::new("echo ready; exec sleep 1000")
}

#[test]
fn it_sees_what_the_first_process_sees() {
    sandboxed("exec::it_sees_what_the_first_process_sees", || {
        let bundle = sleeper();
        let (running, mut output) = bundle.start().unwrap();
        output.expect("ready");
        let script = "for n in mnt uts ipc net pid cgroup; do readlink /proc/1/ns/$n; readlink /proc/self/ns/$n; done | uniq -u; \
                      cat /proc/sys/kernel/hostname; test $$ -gt 1 && ls -d /proc/1 /proc/$$ > /dev/null && echo not the first";
        let lines = bundle.exec(&running, script);
        assert_eq!(lines, "inside\nnot the first");
        assert_eq!(bundle.exec(&running, "pwd; ls /proc/$$/fd; :"), "/\n0\n1\n2");
        kill(&running);
    });
}

#[test]
fn it_has_no_more_rights_than_the_first() {
    sandboxed("exec::it_has_no_more_rights_than_the_first", || {
        let bundle = sleeper();
        let (running, _output) = bundle.start().unwrap();
        let script = "grep -E '^(Cap|Seccomp:|NoNewPrivs|SigIgn|SigBlk)' /proc/1/status > /tmp/first; \
                      grep -E '^(Cap|Seccomp:|NoNewPrivs|SigIgn|SigBlk)' /proc/self/status | diff /tmp/first - && echo the same";
        assert_eq!(bundle.exec(&running, script), "the same");
        kill(&running);
    });
}

#[test]
fn the_engine_goes_home() {
    sandboxed("exec::the_engine_goes_home", || {
        let home = || std::fs::read_link("/proc/thread-self/ns/pid_for_children").unwrap();
        let before = home();
        let bundle = sleeper();
        let (running, _output) = bundle.start().unwrap();
        bundle.exec(&running, "true");
        assert_eq!(home(), before, "else the engine's next child would be born in the container");
        kill(&running);
    });
}

#[test]
fn its_errors_and_codes() {
    sandboxed("exec::its_errors_and_codes", || {
        let bundle = sleeper();
        let (running, _output) = bundle.start().unwrap();
        let (joined, _) = bundle.join(&running, &["/bin/sh", "-c", "exit 9"]).unwrap();
        assert_eq!(joined.wait().unwrap().code(), 9);
        let error = bundle.join(&running, &["nonesuch"]).unwrap_err();
        assert_eq!(error.exit_code(), 127);
        let mut process = bundle.spec.process().clone().unwrap();
        process.set_cwd("/nowhere".into());
        let streams = super::sandbox::Output::new().streams();
        let error =
            process::join(running.pid, &bundle.spec, &process, streams, &process::Options::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("chdir to cwd (\"/nowhere\") set in config.json failed: no such file or directory"),
            "{error}"
        );
        kill(&running);
    });
}

#[test]
fn a_container_that_has_ended_cannot_be_joined() {
    sandboxed("exec::a_container_that_has_ended_cannot_be_joined", || {
        let bundle = sleeper();
        let (running, _output) = bundle.start().unwrap();
        running.signal(9).unwrap();
        rustix::process::waitid(
            rustix::process::WaitId::PidFd(std::os::fd::AsFd::as_fd(&running.pidfd)),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        )
        .unwrap();
        assert!(bundle.join(&running, &["/bin/true"]).is_err());
        running.wait().unwrap();
    });
}

#[test]
fn it_joins_a_user_namespace_too() {
    sandboxed("exec::it_joins_a_user_namespace_too", || {
        use process::oci;
        let mut bundle = sleeper();
        let map = oci::LinuxIdMappingBuilder::default().container_id(0_u32).host_id(0_u32).size(1_u32).build().unwrap();
        bundle.linux(|linux| {
            let mut user = oci::LinuxNamespace::default();
            user.set_typ(oci::LinuxNamespaceType::User).set_path(None);
            linux.namespaces_mut().as_mut().unwrap().push(user);
            linux.set_uid_mappings(Some(vec![map])).set_gid_mappings(Some(vec![map]));
        });
        let (running, _output) = bundle.start().unwrap();
        let lines = bundle.exec(&running, "readlink /proc/1/ns/user; readlink /proc/self/ns/user");
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines[0], lines[1]);
        kill(&running);
    });
}

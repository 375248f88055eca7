//! Fewer rights: what its root may not do.

use super::sandbox::{Bundle, sandboxed};

fn status(bundle: &Bundle, field: &str) -> String {
    let output = bundle.output();
    let line = output.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.unwrap_or_else(|| panic!("no {field} in {output}")).trim().to_owned()
}

#[test]
fn root_has_fourteen_capabilities() {
    sandboxed("identity::root_has_fourteen_capabilities", || {
        let bundle = Bundle::new("cat /proc/self/status");
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(
                status(&bundle, set),
                "00000000a80425fb",
                "{set} must hold Docker's fourteen capabilities and no other"
            );
        }
        for set in ["CapInh", "CapAmb"] {
            assert_eq!(status(&bundle, set), "0000000000000000", "{set} must be empty (CVE-2022-24769)");
        }
    });
}

#[test]
fn a_filter_of_system_calls_is_in_force() {
    sandboxed("identity::a_filter_of_system_calls_is_in_force", || {
        assert_eq!(status(&Bundle::new("cat /proc/self/status"), "Seccomp"), "2");
        let mut bundle = Bundle::new("cat /proc/self/status");
        bundle.linux(|linux| {
            linux.set_seccomp(None);
        });
        assert_eq!(status(&bundle, "Seccomp"), "0");
    });
}

#[test]
fn no_new_privileges_is_set_when_asked_for() {
    sandboxed("identity::no_new_privileges_is_set_when_asked_for", || {
        let mut bundle = Bundle::new("cat /proc/self/status");
        assert_eq!(status(&bundle, "NoNewPrivs"), "0");
        bundle.process(|process| {
            process.set_no_new_privileges(Some(true));
        });
        assert_eq!(status(&bundle, "NoNewPrivs"), "1");
        assert_eq!(status(&bundle, "Seccomp"), "2");
    });
}

#[test]
fn a_user_that_the_namespace_does_not_have_is_an_error() {
    sandboxed("identity::a_user_that_the_namespace_does_not_have_is_an_error", || {
        let mut bundle = Bundle::new("true");
        bundle.process(|process| {
            process.user_mut().set_uid(1000);
        });
        let error = bundle.error().to_string();
        assert!(error.ends_with("setuid 1000: invalid argument"), "{error}");
    });
}

#[test]
fn a_limit_on_open_files() {
    sandboxed("identity::a_limit_on_open_files", || {
        let mut bundle = Bundle::new("ulimit -n; ulimit -Hn");
        bundle.process(|process| {
            process.set_rlimits(Some(vec![process::rlimits::rlimit("nofile", 77, 99).unwrap()]));
        });
        assert_eq!(bundle.output(), "77\n99");
    });
}

#[test]
fn what_is_not_done_is_refused() {
    sandboxed("identity::what_is_not_done_is_refused", || {
        let mut bundle = Bundle::new("true");
        bundle.process(|process| {
            process.set_apparmor_profile(Some("docker-default".to_owned()));
        });
        assert_eq!(bundle.error().to_string(), "process.apparmorProfile is not supported");
    });
}

#[test]
fn the_engine_behind_an_init_cannot_be_looked_into() {
    sandboxed("identity::the_engine_behind_an_init_cannot_be_looked_into", || {
        // PID 1 is a copy of the engine: its binary, its memory and its environment are nobody's business
        // (CVE-2019-5736).
        let mut bundle = Bundle::new(
            "for f in exe environ maps; do cat /proc/1/$f > /dev/null 2>&1 && echo $f can be read; done; echo end",
        );
        bundle.init = true;
        assert_eq!(bundle.output(), "end");
    });
}

#[test]
fn the_engines_binary_cannot_be_written() {
    sandboxed("identity::the_engines_binary_cannot_be_written", || {
        use std::os::fd::AsRawFd;
        let binary = process::own_binary(false).unwrap();
        let path = format!("/proc/self/fd/{}", binary.as_raw_fd());
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x7fELF"));
        assert!(std::fs::OpenOptions::new().write(true).open(&path).is_err());
        // That alone would end with the program ("text file busy"). The mount is read-only for good, and says so to a
        // change of mode.
        let error = std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::ROFS.raw_os_error()), "{error}");
    });
}

//! Namespaces for a test: it may mount and be root, and nothing of it is left when it ends.
//!
//! A threaded process cannot enter a user namespace, and the test harness is threaded: so the test starts its own
//! binary again, beneath unshare(1), for itself alone.

use std::process::Command;

const INSIDE: &str = "KESAKO_TEST_SANDBOX";

/// The kinds of sandbox. Root's own powers and those in a user namespace take different paths through the code, so
/// root tries both.
const AS_ROOT: [&str; 2] = ["--mount --net", "--user --map-root-user --mount --net"];
const AS_USER: [&str; 1] = ["--user --map-root-user --mount --net"];

/// Whether the sandbox this test runs in may give files to anybody and make devices.
pub fn all_powerful() -> bool {
    std::env::var(INSIDE).is_ok_and(|kind| !kind.contains("--user"))
}

/// Runs `body` in each kind of sandbox. `module` and `name` are those of the calling test.
pub fn run(module: &str, name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let root = std::fs::metadata("/proc/self").is_ok_and(|status| std::os::unix::fs::MetadataExt::uid(&status) == 0);
    let kinds: &[&str] = if root { &AS_ROOT } else { &AS_USER };
    let path = module.split_once("::").map_or(name.to_string(), |(_, module)| format!("{module}::{name}"));
    for kind in kinds {
        let unshare = || {
            let mut command = Command::new("unshare");
            command.args(kind.split(' ')).args(["--propagation", "private", "--"]);
            command
        };
        if !unshare().arg("true").output().is_ok_and(|output| output.status.success()) {
            super::not_run::not_run(&path, &format!("`unshare {kind}` is refused here"));
            continue;
        }
        let binary = std::env::current_exe().expect("the path of the test binary");
        let mut command = unshare();
        command.arg(binary).args(["--exact", &path, "--nocapture", "--include-ignored"]).env(INSIDE, kind);
        let output = command.output().expect("unshare(1) was there a moment ago");
        assert!(
            output.status.success(),
            "\n{}\n(This was beneath `unshare {kind}`.)\n",
            super::retold::retell(&output)
        );
        let found = String::from_utf8_lossy(&output.stdout).contains("1 passed");
        assert!(found, "{path} was not found in its own binary");
    }
}

/// Tests that run in a sandbox.
macro_rules! sandboxed {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)+) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            $crate::suite::sandbox::run(module_path!(), stringify!($name), || $body);
        }
    )+};
}
pub(crate) use sandboxed;

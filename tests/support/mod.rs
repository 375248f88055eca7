//! What every end-to-end suite stands on: a root of its own for the built binary, as this user or as an ordinary one,
//! and a look afterwards that nothing was left behind.
#![allow(dead_code, reason = "each suite uses its own part of this")]
#![allow(unreachable_pub, reason = "a module of each suite, and no crate of its own")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod leftovers;
mod not_run;
pub mod terminal;

use assert_cmd::Command;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

#[allow(unused_imports, reason = "some suites always run")]
pub(crate) use not_run::not_run;

/// Who runs the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The user the tests run as.
    Me,
    /// An ordinary user: `KESAKO_TEST_UID` (one with sub-ids, say), else one that no file knows of.
    Ordinary,
}

/// A uid that no `/etc/passwd` and no `/etc/subuid` knows.
const STRANGER: u32 = 54_321;

/// A place of its own for the binary under test: data, sockets and temporary files.
pub struct Sandbox {
    dir: tempfile::TempDir,
    binary: PathBuf,
    uid: Option<u32>,
}

impl Sandbox {
    /// For the user that runs the tests.
    pub fn new() -> Self {
        Self::of(Who::Me)
    }

    /// For this user.
    pub fn of(who: Who) -> Self {
        let dir = tempfile::Builder::new().prefix("kesako-e2e-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let uid = (who == Who::Ordinary && is_root()).then(ordinary_uid);
        let built = PathBuf::from(env!("CARGO_BIN_EXE_kesako"));
        // An ordinary user may not be able to reach the build folder.
        let binary = match uid {
            None => built,
            Some(uid) => {
                let copy = dir.path().join("kesako");
                // By a process of its own: a descriptor that is open for writing while another test forks would make the
                // copy "Text file busy".
                let copied = std::process::Command::new("cp").arg(&built).arg(&copy).status().unwrap();
                assert!(copied.success());
                std::os::unix::fs::chown(dir.path(), Some(uid), Some(uid)).unwrap();
                copy
            }
        };
        Self { dir, binary, uid }
    }

    /// Both users in turn: a scenario that must hold for each.
    pub fn each(scenario: impl Fn(&Sandbox)) {
        for who in [Who::Me, Who::Ordinary] {
            if who == Who::Ordinary && !is_root() {
                continue;
            }
            eprintln!("as {who:?}");
            scenario(&Sandbox::of(who));
        }
    }

    /// The folder that holds everything of this sandbox.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The engine's root.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Whether the binary runs as root.
    pub fn is_root(&self) -> bool {
        self.uid.is_none() && is_root()
    }

    /// The binary with these arguments, not yet run.
    pub fn std_command<A: AsRef<OsStr>>(&self, args: &[A]) -> std::process::Command {
        let mut command = std::process::Command::new(&self.binary);
        command.args(args);
        self.place(&mut command);
        command
    }

    /// Any program, in this sandbox's environment and as its user.
    pub fn place(&self, command: &mut std::process::Command) {
        self.surround(command);
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
    }

    /// The binary, and the user whose it is, if that is not the one who runs the tests.
    pub fn binary(&self) -> (&Path, Option<u32>) {
        (&self.binary, self.uid)
    }

    /// Any program, in this sandbox's environment.
    pub fn surround(&self, command: &mut std::process::Command) {
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("KESAKO_ROOT", self.root()).env("HOME", self.path()).env("TMPDIR", self.path());
        command.current_dir(self.path()).stdin(Stdio::null());
    }

    /// The binary with these arguments, for assertions.
    pub fn kesako<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::from_std(self.std_command(args));
        command.timeout(Duration::from_secs(60));
        command
    }

    /// Runs it, whatever comes of it.
    pub fn output<A: AsRef<OsStr>>(&self, args: &[A]) -> Output {
        self.kesako(args).output().unwrap()
    }

    /// Runs it, expects success, and returns stdout without its last newline.
    pub fn ok<A: AsRef<OsStr> + std::fmt::Debug>(&self, args: &[A]) -> String {
        let output = self.output(args);
        assert!(output.status.success(), "kesako {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    /// Runs it, expects this exit code, and returns stderr.
    pub fn fails<A: AsRef<OsStr> + std::fmt::Debug>(&self, code: i32, args: &[A]) -> String {
        let output = self.output(args);
        assert_eq!(output.status.code(), Some(code), "kesako {args:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Starts it in the background.
    pub fn spawn<A: AsRef<OsStr>>(&self, args: &[A]) -> std::process::Child {
        self.std_command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

impl Drop for Sandbox {
    /// Removes the containers and looks for what should have gone with them.
    fn drop(&mut self) {
        let ids = self.output(&["ps", "-aq", "--no-trunc"]);
        let ids: Vec<_> = String::from_utf8_lossy(&ids.stdout).lines().map(str::to_owned).collect();
        if !ids.is_empty() {
            let mut args = vec!["rm".to_owned(), "-f".to_owned()];
            args.extend(ids);
            self.output(&args);
        }
        if !std::thread::panicking() {
            leftovers::assert_none(&self.root());
        }
    }
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn ordinary_uid() -> u32 {
    std::env::var("KESAKO_TEST_UID").map_or(STRANGER, |uid| uid.parse().unwrap())
}

/// Waits until this holds, at most for ten seconds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "still not so after ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether this program is on the machine.
pub fn installed(program: &str) -> bool {
    std::env::var("PATH")
        .unwrap_or_default()
        .split(':')
        .chain(["/usr/sbin", "/sbin"])
        .any(|dir| Path::new(dir).join(program).exists())
}

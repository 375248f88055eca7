//! What this machine has and lacks: each finding with a code, a cause and a way out.
//!
//! What can be tried is tried, in namespaces of its own; what the kernel says of itself is only read to name the cause.

use colored::Colorize as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};

#[derive(clap::Args)]
pub struct Doctor {}

/// What was looked at, and what was found.
struct Finding {
    code: &'static str,
    what: &'static str,
    state: State,
}

enum State {
    Good(String),
    /// Something works less well.
    Limited(Trouble),
    /// The chapters or the runtime do not work.
    Broken(Trouble),
}

#[derive(Debug, PartialEq)]
struct Trouble {
    cause: String,
    fix: String,
}

fn trouble(cause: impl Into<String>, fix: impl Into<String>) -> Trouble {
    Trouble { cause: cause.into(), fix: fix.into() }
}

impl Doctor {
    pub fn run(&self, root: &Path) -> ExitCode {
        let checks: [(&str, &str, State); 11] = [
            ("KD01", "Linux", kernel()),
            ("KD02", "user namespaces", user_namespaces()),
            ("KD03", "user and group ids of one's own", subordinate_ids()),
            ("KD04", "overlayfs", overlay()),
            ("KD05", "cgroups", cgroups()),
            ("KD06", "seccomp", seccomp()),
            ("KD07", "unshare(1)", tool("unshare", "the chapters' suites run in it; it is in the package util-linux")),
            ("KD08", "git", tool("git", "`cargo workshop` merges and compares with it; install the package git")),
            ("KD09", "a linker", tool("cc", "Rust links with it; install the package gcc (or build-essential)")),
            ("KD10", "Rust", rust(root)),
            ("KD11", "busybox", busybox()),
        ];
        let mut broken = false;
        for (code, what, state) in checks {
            broken |= matches!(state, State::Broken(_));
            Finding { code, what, state }.print();
        }
        if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

impl Finding {
    fn print(&self) {
        let Self { code, what, state } = self;
        let (mark, trouble) = match state {
            State::Good(detail) => return println!("{} {code} {what}: {detail}", "✓".green()),
            State::Limited(trouble) => ("!".yellow(), trouble),
            State::Broken(trouble) => ("✗".red(), trouble),
        };
        println!("{mark} {code} {}: {}", what.bold(), trouble.cause);
        println!("       {}", trouble.fix);
    }
}

/// mount_setattr(2) and overlayfs without root are the youngest of what is used here.
fn kernel() -> State {
    let release = word("/proc/sys/kernel/osrelease");
    match version(&release) {
        Some(found) if found >= (5, 12) => State::Good(release),
        _ => State::Broken(trouble(
            format!("kernel {release} is too old; mount_setattr(2) came with 5.12"),
            "Use a distribution of 2021 or later, or a virtual machine with one.",
        )),
    }
}

/// `6.18.44-generic` is (6, 18).
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn user_namespaces() -> State {
    if !found("unshare") {
        return State::Broken(trouble("cannot be tried without unshare(1)", "See KD07."));
    }
    if let Ok(output) = unshare("true")
        && output.status.success()
    {
        return State::Good("can be made".to_owned());
    }
    State::Broken(refused_user_namespace(|name| word(&format!("/proc/sys/{name}"))))
}

/// Why the kernel refuses a user namespace, from what it was set to.
fn refused_user_namespace(sysctl: impl Fn(&str) -> String) -> Trouble {
    // The first that applies; each is named as sysctl(8) takes it.
    let causes = [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0", "AppArmor keeps ordinary programs from making them"),
        ("kernel/unprivileged_userns_clone", "0", "1", "this distribution leaves them to root"),
        ("user/max_user_namespaces", "0", "15000", "none are allowed"),
    ];
    match causes.into_iter().find(|(name, bad, ..)| sysctl(name) == *bad) {
        Some((name, bad, good, why)) => {
            let name = name.replace('/', ".");
            trouble(
                format!("refused: {why} ({name} is {bad})"),
                format!("sudo sysctl -w {name}={good}    (to keep it: a file in /etc/sysctl.d), or work as root."),
            )
        }
        None => trouble(
            "refused, by something that is no sysctl",
            "In a container, start that one with `--privileged`, or `--security-opt seccomp=unconfined`; else work as root.",
        ),
    }
}

/// Without them a rootless container has one user only (newuidmap(1), subuid(5)).
fn subordinate_ids() -> State {
    let user = Command::new("id").arg("-un").output().map(|output| text(&output.stdout)).unwrap_or_default();
    if user == "root" {
        return State::Good("root has them all".to_owned());
    }
    let lacks = |file: &str| !has_range(&fs::read_to_string(file).unwrap_or_default(), &user);
    if !found("newuidmap") || !found("newgidmap") {
        return State::Limited(trouble(
            "newuidmap(1) and newgidmap(1) are missing: a container has one user only, and images with more do not unpack",
            "Install the package uidmap (Debian, Ubuntu) or shadow-utils (Fedora).",
        ));
    }
    if lacks("/etc/subuid") || lacks("/etc/subgid") {
        return State::Limited(trouble(
            format!("/etc/subuid or /etc/subgid gives {user} none: a container has one user only"),
            format!("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"),
        ));
    }
    State::Good("newuidmap, newgidmap, and a range for each".to_owned())
}

/// `learner:100000:65536`
fn has_range(file: &str, user: &str) -> bool {
    file.lines().any(|line| line.split(':').next() == Some(user))
}

/// Tried as the runtime does it: one layer, in a user namespace.
fn overlay() -> State {
    let Ok(folder) = tempfile::tempdir() else {
        return State::Broken(trouble(
            "no temporary folder can be made",
            "Look at TMPDIR, and whether the disk is full.",
        ));
    };
    for name in ["lower", "upper", "work", "merged"] {
        // What is missing, the mount tells.
        let _ = fs::create_dir(folder.path().join(name));
    }
    let mount = "cd \"$0\" && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr merged";
    let mut command = in_namespace(mount);
    let tried = command.arg(folder.path()).output();
    match tried {
        Ok(output) if output.status.success() => State::Good("can be mounted without root".to_owned()),
        _ if !fs::read_to_string("/proc/filesystems").unwrap_or_default().contains("\toverlay\n") => {
            State::Broken(trouble(
                "the kernel has no overlayfs loaded",
                "sudo modprobe overlay    (to keep it: a file in /etc/modules-load.d)",
            ))
        }
        Ok(output) => State::Limited(trouble(
            format!("cannot be mounted without root: {}", text(&output.stderr)),
            "A kernel from 5.11 on can (Debian's older ones cannot); or the folder for temporary files lies on an overlay \
             itself: set TMPDIR to one on a disk. As root, it works.",
        )),
        Err(error) => State::Limited(trouble(format!("cannot be tried: {error}"), "See KD07.")),
    }
}

fn cgroups() -> State {
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let mounted = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if !unified {
        return match mounted.contains(" - cgroup cgroup ") {
            true => State::Good("version 1 (limits need root; version 2 is what most machines have)".to_owned()),
            false => State::Limited(trouble(
                "none are mounted: --memory, --cpus and --pids-limit cannot be had",
                "Boot with systemd.unified_cgroup_hierarchy=1, or: sudo mount -t cgroup2 none /sys/fs/cgroup",
            )),
        };
    }
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let ours = membership.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let folder = Path::new("/sys/fs/cgroup").join(ours);
    // A group is delegated to whoever may write these (kernel, cgroup-v2.rst, "Delegation").
    let may_write = |file: &str| fs::File::options().write(true).open(folder.join(file)).is_ok();
    match may_write("cgroup.procs") && may_write("cgroup.subtree_control") {
        true => State::Good(format!("version 2, with {}", word(&folder.join("cgroup.controllers").to_string_lossy()))),
        false => State::Limited(trouble(
            format!("version 2, but {} is not delegated to you: no limits without root", folder.display()),
            "Work in a session of systemd's (`systemd-run --user --scope -p Delegate=yes bash`), or as root.",
        )),
    }
}

fn seccomp() -> State {
    match word("/proc/sys/kernel/seccomp/actions_avail") {
        actions if actions.contains("errno") => State::Good("filters can be loaded".to_owned()),
        _ => State::Broken(trouble(
            "the kernel has no CONFIG_SECCOMP_FILTER: no container can be confined",
            "Use your distribution's own kernel.",
        )),
    }
}

fn rust(root: &Path) -> State {
    let wanted = fs::read_to_string(root.join("rust-toolchain.toml")).unwrap_or_default();
    let wanted = wanted.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap_or_default().trim_matches('"');
    let found = Command::new("rustc").arg("--version").current_dir(root).output();
    let found = found.map(|output| text(&output.stdout)).unwrap_or_default();
    match (version(&found), version(wanted)) {
        (Some(have), Some(need)) if have >= need => State::Good(found),
        _ => State::Broken(trouble(
            format!("{} found, {wanted} wanted", if found.is_empty() { "none" } else { &found }),
            format!("rustup toolchain install {wanted}    (https://rustup.rs)"),
        )),
    }
}

fn tool(name: &str, why: &'static str) -> State {
    match found(name) {
        true => State::Good("is there".to_owned()),
        false => State::Broken(trouble(
            format!("no program {name} in $PATH"),
            format!("{}{}", why[..1].to_uppercase(), &why[1..]),
        )),
    }
}

/// The built-in image is made of one, if there is one; else of the host's own tools, which are many more files.
fn busybox() -> State {
    match found("busybox") {
        true => State::Good("the image `workbench` is made of it".to_owned()),
        false => State::Good("none; the image `workbench` is made of this machine's own tools".to_owned()),
    }
}

fn found(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Ordinary users do not have /usr/sbin in theirs.
    std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]).any(|folder| folder.join(name).is_file())
}

/// A shell as root of a new user and mount namespace. Its first argument is `$0`.
fn in_namespace(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--", "sh", "-c", script]).stdin(Stdio::null());
    command
}

fn unshare(script: &str) -> std::io::Result<Output> {
    in_namespace(script).output()
}

fn word(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("6.18.44-fc-v595"), Some((6, 18)));
        assert_eq!(version("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert!(version("5.9.1") < version("5.12"));
        assert_eq!(version(""), None);
    }

    #[test]
    fn the_cause_of_a_refusal_is_named() {
        let ubuntu = refused_user_namespace(|name| match name {
            "kernel/apparmor_restrict_unprivileged_userns" => "1".to_owned(),
            _ => "60000".to_owned(),
        });
        assert!(
            ubuntu.cause.contains("AppArmor") && ubuntu.fix.contains("kernel.apparmor_restrict_unprivileged_userns=0")
        );
        let none = refused_user_namespace(|name| if name.starts_with("user/") { "0" } else { "" }.to_owned());
        assert!(none.cause.contains("user.max_user_namespaces is 0"), "{none:?}");
        assert!(refused_user_namespace(|_| String::new()).cause.contains("no sysctl"));
    }

    #[test]
    fn a_range_is_a_users_own() {
        assert!(has_range("a:1:2\nlearner:100000:65536\n", "learner"));
        assert!(!has_range("learner2:100000:65536\n", "learner"));
    }
}

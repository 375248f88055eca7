//! COPY and ADD through the binary: what they make is the same wherever and whenever the files were checked out, and only what
//! is copied decides whether a step is done again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use support::Sandbox;

const DOCKERFILE: &str = "\
FROM workbench
WORKDIR /app
COPY --chown=7:8 src/ src/
ADD packed.tar unpacked/
COPY --chmod=u=rwX,go= *.md /docs/
COPY <<note note.txt
written here
note
RUN find /app /docs -exec stat -c '%A %u:%g %Y %n' {} + | sort -k4
";

/// A checkout, with times of its own.
fn checkout(sandbox: &Sandbox, name: &str, age: u64) -> PathBuf {
    let folder = sandbox.path().join(name);
    fs::create_dir_all(folder.join("src/deep")).unwrap();
    let packed = {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o640);
        header.set_size(1);
        header.set_mtime(1_000_000_000);
        archive.append_data(&mut header, "in/it", &b"x"[..]).unwrap();
        archive.into_inner().unwrap()
    };
    for (path, content) in [
        ("src/main.rs", &b"fn main() {}"[..]),
        ("src/deep/x", b""),
        ("README.md", b"# read"),
        ("packed.tar", &packed),
        ("Dockerfile", DOCKERFILE.as_bytes()),
        (".dockerignore", b"target\n**/*.o\n"),
    ] {
        fs::write(folder.join(path), content).unwrap();
    }
    for entry in ["src", "src/deep", "src/main.rs", "src/deep/x", "README.md", "packed.tar"] {
        let file = fs::File::open(folder.join(entry)).unwrap();
        let mode = if file.metadata().unwrap().is_dir() { 0o755 } else { 0o644 };
        file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    folder
}

fn build(sandbox: &Sandbox, folder: &Path) -> String {
    let output = sandbox.output(&["build", "--progress=plain", "-t", "made", &folder.display().to_string()]);
    let told = String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    told
}

/// Which of the steps were reused, in order.
fn reused(sandbox: &Sandbox, folder: &Path) -> Vec<bool> {
    let told = build(sandbox, folder);
    let number = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let steps = told
        .lines()
        .filter(|line| ["COPY", "ADD", "WORKDIR", "RUN"].iter().any(|word| line.contains(&format!("] {word}"))));
    let cached: Vec<String> = told.lines().filter(|line| line.ends_with(" CACHED")).map(number).collect();
    steps.map(number).map(|step| cached.contains(&step)).collect()
}

#[test]
fn two_checkouts_make_one_image() {
    Sandbox::each(|sandbox| {
        let told = build(sandbox, &checkout(sandbox, "one", 5));
        for line in [
            "drwxr-xr-x 7:8 315532801 /app/src/deep",
            "-rw-r--r-- 7:8 315532801 /app/src/main.rs",
            "drwxr-xr-x 0:0 315532801 /app/unpacked/in",
            "-rw-r----- 0:0 1000000000 /app/unpacked/in/it",
            "-rw------- 0:0 315532801 /docs/README.md",
            "-rw-r--r-- 0:0 315532801 /app/note.txt",
        ] {
            // Whether 7:8 can be given away, is the user's.
            let owner = if sandbox.is_root() { line.to_owned() } else { line.replace(" 7:8 ", " ") };
            let (mode, rest) = owner.split_once(' ').unwrap();
            assert!(told.lines().any(|told| told.contains(mode) && told.ends_with(rest)), "{line}\n{told}");
        }
        let first = sandbox.ok(&["images", "-q", "--no-trunc", "made"]);
        let other = checkout(sandbox, "other", 500_000);
        assert_eq!(reused(sandbox, &other), [true; 6], "another checkout of the same");
        assert_eq!(sandbox.ok(&["images", "-q", "--no-trunc", "made"]), first);
    });
}

#[test]
fn what_is_copied_decides_and_nothing_else() {
    Sandbox::each(|sandbox| {
        let folder = checkout(sandbox, "one", 5);
        build(sandbox, &folder);
        assert_eq!(reused(sandbox, &folder), [true; 6]);
        // Not seen: excluded, or not named.
        fs::create_dir(folder.join("target")).unwrap();
        for path in ["target/x", "src/x.o", "unrelated.txt"] {
            fs::write(folder.join(path), "x").unwrap();
        }
        fs::File::open(folder.join("src/main.rs")).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(reused(sandbox, &folder), [true; 6]);
        // Seen: a name that matches, and a mode. What is before stays.
        fs::write(folder.join("NEW.md"), "x").unwrap();
        assert_eq!(reused(sandbox, &folder), [true, true, true, false, false, false]);
        fs::set_permissions(folder.join("src/main.rs"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(reused(sandbox, &folder), [true, false, false, false, false, false]);
        assert_eq!(reused(sandbox, &folder), [true; 6]);
    });
}

#[test]
fn a_linked_copy_does_not_see_what_is_below() {
    Sandbox::each(|sandbox| {
        let folder = sandbox.path().join("context");
        fs::create_dir_all(folder.join("base/there")).unwrap();
        symlink("there", folder.join("base/link")).unwrap();
        fs::write(folder.join("a"), "content").unwrap();
        let text = "FROM workbench\nCOPY base /\nCOPY LINK a /link/a\nRUN echo in: $(ls /there); test -L /link && echo a link\n";
        fs::write(folder.join("Dockerfile"), text.replace("LINK ", "")).unwrap();
        let told = build(sandbox, &folder);
        assert!(told.contains("in: a\n") && told.contains("a link\n"), "{told}");
        // The last command of its RUN fails now: nothing is a link.
        fs::write(
            folder.join("Dockerfile"),
            text.replace("LINK", "--link").replace("echo a link", "false || cat /link/a"),
        )
        .unwrap();
        let told = build(sandbox, &folder);
        assert!(told.contains("in:\n") && told.contains("content"), "{told}");
        // So it is the same, whatever is below.
        fs::write(folder.join("base/more"), "").unwrap();
        assert_eq!(reused(sandbox, &folder), [false, true, false]);
        assert_eq!(reused(sandbox, &folder), [true; 3]);
        sandbox.ok(&["run", "--rm", "made", "cat", "/link/a", "/more"]);
    });
}

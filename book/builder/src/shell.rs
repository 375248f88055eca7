//! The shell a page's commands are typed into, in a home of its own.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use network::{Links, Namespace};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// No command of a tutorial should keep a reader waiting for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// But what is compiled takes its time.
const LEARNERS_PATIENCE: Duration = Duration::from_secs(900);

/// Printed after each command's output, with its exit code.
const END: &str = "\u{1}end of command";

/// Of the shell in a container: what follows it in the book is typed.
pub(crate) const PROMPT: &str = "/ # ";

/// What the home is called in the book.
const HOME_IN_THE_BOOK: &str = "/home/you";

/// One bash for one page, so that variables, folders and containers last from block to block.
pub(crate) struct Shell {
    bash: Child,
    typed: ChildStdin,
    shown: Receiver<Vec<u8>>,
    place: TempDir,
    patience: Duration,
}

impl Shell {
    /// Starts bash in a fresh home, with `kesako` on its path, and `docker` for that host, and no other configuration.
    pub(crate) fn start(kesako: &Path, docker: Option<&str>) -> Result<Shell> {
        Self::start_with(kesako, docker, None)
    }

    /// The same in a clone of the repository, with cargo, and a root for the containers that is told by the environment.
    pub(crate) fn start_in(kesako: &Path, clone: &Path) -> Result<Shell> {
        Self::start_with(kesako, None, Some(clone))
    }

    fn start_with(kesako: &Path, docker: Option<&str>, clone: Option<&Path>) -> Result<Shell> {
        let place = tempfile::Builder::new().prefix("book").tempdir()?;
        let path = |name: &str| place.path().join(name);
        for folder in ["bin", "home", "run"] {
            std::fs::create_dir(path(folder))?;
        }
        nix::unistd::mkfifo(&path("keys"), nix::sys::stat::Mode::S_IRWXU)?;
        std::os::unix::fs::symlink(kesako, path("bin/kesako"))?;
        if let Some(host) = docker {
            // Not DOCKER_HOST, which kesako heeds as well.
            let script = format!("#!/bin/sh\nPATH=/usr/local/bin:/usr/bin:/bin exec docker -H '{host}' \"$@\"\n");
            std::fs::write(path("bin/docker"), script)?;
            std::fs::set_permissions(path("bin/docker"), std::fs::Permissions::from_mode(0o755))?;
        }
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).env_clear().current_dir(path("home")).process_group(0);
        command.env("PATH", format!("{}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", path("bin").display()));
        command.env("HOME", path("home")).env("XDG_RUNTIME_DIR", path("run"));
        command.env("USER", "you").env("LANG", "C.UTF-8").env("TERM", "dumb").env("TZ", "UTC");
        if let Some(clone) = clone {
            command.current_dir(clone).env("KESAKO_ROOT", path("root"));
            use_cargo(&mut command, &path("bin"));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        // What root's engine does to the network must not be the machine's: the reader's machine is one that is only theirs. (An
        // ordinary user's engine changes nothing of the machine's. Cargo may have something to download.)
        let mut bash = if nix::unistd::geteuid().is_root() && clone.is_none() {
            let (alone, ()) = Namespace::make(|| Links::open()?.up("lo")).context("the sessions have no network")?;
            alone.visit(|| Ok(command.spawn()))?
        } else {
            command.spawn()
        }
        .context("cannot start bash")?;
        let (Some(typed), Some(shown)) = (bash.stdin.take(), bash.stdout.take()) else { bail!("bash has no pipes") };
        let patience = if clone.is_some() { LEARNERS_PATIENCE } else { PATIENCE };
        Ok(Shell { bash, typed, shown: bytes_of(shown), place, patience })
    }

    /// Types a command; what it prints on both its streams. A command reads nothing, unless something is `typed` into it: then
    /// it runs in a terminal, and each line is typed at a [`PROMPT`].
    pub(crate) fn run(&mut self, command: &str, typed: &[&str]) -> Result<Vec<String>> {
        let keys = self.place.path().join("keys");
        let line = if typed.is_empty() {
            format!("{{ {command}\n}} </dev/null 2>&1")
        } else {
            // script(1) is the terminal.
            let quoted = command.replace('\'', r"'\''");
            format!("script --quiet --return --command '{quoted}' /dev/null <{} 2>&1", keys.display())
        };
        // The code of the last command, `$?`, is for the next one to see.
        writeln!(self.typed, "{line}; _code=$?; echo $'\\n{END}'; (exit $_code)").context("cannot type")?;
        let mut output = Vec::new();
        if !typed.is_empty() {
            self.type_at_prompts(&keys, typed, &mut output).with_context(|| format!("in `{command}`"))?;
        }
        self.read_until(&format!("\n{END}\n"), &mut output).with_context(|| format!("after `{command}`"))?;
        let output = plain(&output).replace(&format!("\n{END}\n"), "");
        Ok(output.lines().map(|line| self.in_the_book(line)).collect())
    }

    fn type_at_prompts(&mut self, keys: &Path, typed: &[&str], output: &mut Vec<u8>) -> Result<()> {
        let mut terminal = std::fs::OpenOptions::new().write(true).open(keys)?;
        for line in typed {
            self.read_until(PROMPT, output)?;
            writeln!(terminal, "{line}")?;
            // What is echoed ends no more with a prompt.
            self.read_until("\n", output)?;
        }
        Ok(())
    }

    fn read_until(&mut self, end: &str, output: &mut Vec<u8>) -> Result<()> {
        while !plain(output).ends_with(end) {
            match self.shown.recv_timeout(self.patience) {
                Ok(bytes) => output.extend(bytes),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("no {end:?} for {} s after {:?}", self.patience.as_secs(), plain(output))
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the shell has ended"),
            }
        }
        Ok(())
    }

    /// Nothing of the reader's machine, and no folder that is another one tomorrow.
    fn in_the_book(&self, line: &str) -> String {
        let place = self.place.path().to_string_lossy();
        line.replace(&format!("{place}/home"), HOME_IN_THE_BOOK).replace(&*place, "").trim_end().to_owned()
    }

    /// Removes all containers the page has made, and ends the shell.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.run("kesako ps -aq | xargs -r kesako rm -f", &[])?;
        // Whoever waits for a container is answered before the last of its files are gone.
        let end = Instant::now() + Duration::from_secs(10);
        while let Err(error) = std::fs::remove_dir_all(self.place.path()) {
            anyhow::ensure!(Instant::now() < end, "cannot remove {}: {error}", self.place.path().display());
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Cargo as we know it ourselves, with what it has downloaded and built.
fn use_cargo(command: &mut Command, bin: &Path) {
    command.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default()));
    let home = |name: &str, folder: &str| {
        let default = || Some(Path::new(&std::env::var_os("HOME")?).join(folder).into_os_string());
        Some((name.to_owned(), std::env::var_os(name).or_else(default)?))
    };
    command.envs(home("CARGO_HOME", ".cargo").into_iter().chain(home("RUSTUP_HOME", ".rustup")));
    command.envs(std::env::vars_os().filter(|(name, _)| name == "CARGO_TARGET_DIR" || name == "RUSTUP_TOOLCHAIN"));
}

impl Drop for Shell {
    fn drop(&mut self) {
        // What the page has left in the background, too. It fails if all of it has ended by itself.
        let _ = killpg(Pid::from_raw(self.bash.id() as i32), Signal::SIGKILL);
        let _ = self.bash.wait();
    }
}

/// Text without what is meant for a terminal: carriage returns, and sequences such as the question where its cursor is.
fn plain(output: &[u8]) -> String {
    let mut text = String::new();
    for (number, part) in String::from_utf8_lossy(output).replace('\r', "").split("\x1b[").enumerate() {
        let sequence =
            if number == 0 { 0 } else { part.find(|end: char| end.is_alphabetic()).map_or(part.len(), |at| at + 1) };
        text += &part[sequence..];
    }
    text
}

/// Reads in a thread, so that waiting can end.
fn bytes_of(mut shown: ChildStdout) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = shown.read(&mut buffer) {
            if send.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminals_sequences_are_no_text() {
        assert_eq!(plain(b"a\x1b[6n\r\n\x1b[1;32mb\x1b[0m"), "a\nb");
    }
}

//! The shell a page's commands are typed into, in a home of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// No command of a tutorial should keep a reader waiting for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Printed after each command's output, with its exit code.
const END: &str = "\u{1}end of command";

/// What the home is called in the book.
const HOME_IN_THE_BOOK: &str = "/home/you";

/// One bash for one page, so that variables, folders and containers last from block to block.
pub(crate) struct Shell {
    bash: Child,
    typed: ChildStdin,
    lines: Receiver<String>,
    place: TempDir,
}

impl Shell {
    /// Starts bash in a fresh home, with `kesako` on its path, and `docker` for that host, and no other configuration.
    pub(crate) fn start(kesako: &Path, docker: Option<&str>) -> Result<Shell> {
        let place = tempfile::Builder::new().prefix("book").tempdir()?;
        let path = |name: &str| place.path().join(name);
        for folder in ["bin", "home", "run"] {
            std::fs::create_dir(path(folder))?;
        }
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
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut bash = command.spawn().context("cannot start bash")?;
        let (Some(typed), Some(shown)) = (bash.stdin.take(), bash.stdout.take()) else { bail!("bash has no pipes") };
        Ok(Shell { bash, typed, lines: lines_of(shown), place })
    }

    /// Types a command; what it prints on both its streams. A command reads nothing.
    pub(crate) fn run(&mut self, command: &str) -> Result<Vec<String>> {
        // The code of the last command, `$?`, is for the next one to see.
        let typed = format!("{{ {command}\n}} </dev/null 2>&1; _code=$?; echo $'\\n{END}'; (exit $_code)\n");
        self.typed.write_all(typed.as_bytes()).with_context(|| format!("cannot type `{command}`"))?;
        let mut output = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == END => break,
                Ok(line) => output.push(self.in_the_book(&line)),
                Err(RecvTimeoutError::Timeout) => bail!("`{command}` has not ended after {} s", PATIENCE.as_secs()),
                Err(RecvTimeoutError::Disconnected) => bail!("`{command}` has ended the shell"),
            }
        }
        // The end stands on a line of its own, even after output without a line end.
        if output.last().is_some_and(String::is_empty) {
            output.pop();
        }
        Ok(output)
    }

    /// Nothing of the reader's machine, and no folder that is another one tomorrow.
    fn in_the_book(&self, line: &str) -> String {
        let place = self.place.path().to_string_lossy();
        line.replace(&format!("{place}/home"), HOME_IN_THE_BOOK).replace(&*place, "").trim_end().to_owned()
    }

    /// Removes all containers the page has made, and ends the shell.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.run("kesako ps -aq | xargs -r kesako rm -f")?;
        Ok(())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // What the page has left in the background, too. It fails if all of it has ended by itself.
        let _ = killpg(Pid::from_raw(self.bash.id() as i32), Signal::SIGKILL);
        let _ = self.bash.wait();
    }
}

/// Reads in a thread, so that waiting can end.
fn lines_of(shown: ChildStdout) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut shown = BufReader::new(shown);
        let mut line = Vec::new();
        while shown.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
            if send.send(text).is_err() {
                break;
            }
            line.clear();
        }
    });
    receive
}

//! What is executed at last: the command, its environment, and where to look for it.

use std::ffi::{CStr, CString};

use rustix::fs::{self, Access, FileType};
use rustix::io::Errno;

use crate::report::{Failure, Step};
use crate::sys::{Argv, execve};
use crate::{Error, Result, c_string, oci};

/// A command, ready for execve(2).
#[derive(Debug)]
pub(crate) struct Command {
    /// As the user wrote it.
    pub name: String,
    /// The paths to try, in order: one for each folder of `PATH`, or the one that was given.
    candidates: Vec<CString>,
    searched: bool,
    arguments: Argv,
    environment: Argv,
}

impl Command {
    pub(crate) fn new(process: &oci::Process) -> Result<Self> {
        let arguments = process.args().as_deref().unwrap_or_default();
        let name = arguments.first().filter(|name| !name.is_empty());
        let Some(name) = name.cloned() else {
            return Err(Error::CommandNotFound(String::new()));
        };
        let environment = process.env().as_deref().unwrap_or_default();
        let searched = !name.contains('/');
        let candidates = if searched {
            // The container's PATH, not ours.
            let path = environment.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or("");
            let folders = path.split(':').filter(|folder| !folder.is_empty());
            folders.map(|folder| c_string(&format!("{folder}/{name}"))).collect::<Result<_>>()?
        } else {
            vec![c_string(&name)?]
        };
        let list = |strings: &[String]| strings.iter().map(|string| c_string(string)).collect::<Result<Vec<_>>>();
        tracing::info!(
            target: "explain",
            man = "execve(2)",
            shell = format!("exec {}", arguments.join(" ")),
            "becoming the command"
        );
        Ok(Self {
            name,
            candidates,
            searched,
            arguments: Argv::new(list(arguments)?),
            environment: Argv::new(list(environment)?),
        })
    }

    /// Becomes the command, or returns why not. Makes system calls only.
    pub(crate) fn exec(&self) -> Failure {
        let failure = |step, errno| Failure { step, index: 0, errno };
        for path in &self.candidates {
            let errno = execve(path, &self.arguments, &self.environment);
            match errno {
                // A missing interpreter is told apart from a missing file.
                Errno::NOENT if exists(path) => return failure(Step::Exec, errno),
                Errno::NOENT | Errno::NOTDIR if self.searched => {}
                Errno::NOENT | Errno::NOTDIR => return failure(Step::CommandMissing, errno),
                // As a shell does: a file that may not be executed does not end the search.
                Errno::ACCESS if self.searched => {}
                Errno::ACCESS if is_folder(path) => return failure(Step::CommandDenied, Errno::ISDIR),
                Errno::ACCESS => return failure(Step::CommandDenied, errno),
                _ => return failure(Step::Exec, errno),
            }
        }
        failure(Step::CommandNotFound, Errno::NOENT)
    }
}

fn exists(path: &CStr) -> bool {
    fs::access(path, Access::EXISTS).is_ok()
}

fn is_folder(path: &CStr) -> bool {
    fs::stat(path).is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}

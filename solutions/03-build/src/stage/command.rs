//! RUN.

use super::Making;
use super::files::Work;
use crate::cache::Key;
use crate::error::{Error, Result};
use crate::instruction::{self, Network, Step};
use crate::progress::{Event, Stream};
use crate::recipe;
use crate::run::{Mount, Process, Source};
use crate::source::Mounted;
use rustix::fs::{CWD, Mode, OFlags};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;

/// Where a program that stands in the Dockerfile itself is shown to its command.
const PIPES: &str = "/dev/pipes";

impl Making<'_> {
    pub(super) fn run(&mut self, step: &Step, run: &instruction::Run, index: usize) -> Result<()> {
        let config = &self.state.image.config;
        let program = run.heredocs.first();
        let command = match program {
            Some(heredoc) => instruction::Command::Shell(format!("{PIPES}/{}", heredoc.name)),
            None => run.command.clone(),
        };
        let args = recipe::command_line(config, &command);
        let cwd = if config.working_dir.is_empty() { "/".to_owned() } else { config.working_dir.clone() };
        let network = if run.network == Network::Default { self.build.settings.network } else { run.network };
        let told = format!("RUN {}{} # buildkit", self.state.scope.told_in_history(), args.join(" "));
        let mut key = Key::new(self.state.key, "RUN");
        key.part("command", args.join("\0"));
        if let Some(heredoc) = program {
            key.part("program", &heredoc.content);
        }
        key.part("working directory", &cwd);
        key.part("user", &config.user);
        key.part("network", format!("{network:?}"));
        key.part("hosts", self.build.settings.add_hosts.join("\n"));
        for (name, value) in self.state.scope.iter() {
            key.part(format!("ENV {name}"), value);
        }
        for mount in &run.mounts {
            let name = format!("mount {}", mount.target.as_deref().unwrap_or_default());
            key.part(name.as_str(), &mount.written);
            let content = self.sources.content(mount).map_err(Error::Source)?;
            content.into_iter().for_each(|content| key.digest(format!("{name}'s content"), content));
        }
        let work =
            Work { key, shown: self.shown(step), skeleton: self.build.run.skeleton().map(Into::into), alone: None };
        let make = |making: &Self, root: OwnedFd, id: usize| {
            let mut env = making.state.scope.environment();
            env.extend(making.build.settings.args.proxies().into_iter().filter(|proxy| !making.has(proxy)));
            let (mut mounts, mut held) = (Vec::new(), Vec::new());
            for mount in &run.mounts {
                let Mounted { mount, env: secret, held: guard } =
                    making.sources.mount(mount, &cwd).map_err(Error::Source)?;
                mounts.extend(mount);
                env.extend(secret);
                held.extend(guard);
            }
            mounts.extend(program.map(|heredoc| making.program(heredoc, id)).transpose()?);
            let user = making.state.image.config.user.clone();
            let add_hosts = making.build.settings.add_hosts.clone();
            let process = Process { root, args: args.clone(), env, cwd, user, network, add_hosts, mounts };
            making.execute(process, &args, id).map(|()| None)
        };
        let layer = self.files(step, index, work, make)?;
        self.history(told, !layer);
        Ok(())
    }

    fn execute(&self, process: Process, args: &[String], id: usize) -> Result<()> {
        let mut output = |stream: Stream, text: &str| {
            self.tell(Event::Output { id, stream, text: text.to_owned() });
        };
        let code = self.build.run.run(process, &mut output);
        if self.build.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        match code.map_err(Error::Source)? {
            0 => Ok(()),
            code => {
                self.tell(Event::Exited { id, command: args.to_vec(), code });
                Err(Error::Command { command: args.join(" "), code })
            }
        }
    }

    /// Whether there is a variable of this name (`NAME=…`) already.
    fn has(&self, variable: &str) -> bool {
        variable.split('=').next().is_some_and(|name| self.state.scope.get(name).is_some())
    }

    /// A program that stands in the Dockerfile, as a file in a folder of its own.
    fn program(&self, heredoc: &instruction::Heredoc, id: usize) -> Result<Mount> {
        let folder = self.build.folder.join(format!("{id}-program"));
        let path = folder.join(&heredoc.name);
        let written = fs::create_dir(&folder)
            .and_then(|()| File::create_new(&path))
            .and_then(|mut file| {
                file.write_all(heredoc.content.as_bytes())?;
                file.set_permissions(fs::Permissions::from_mode(0o755))
            })
            .and_then(|()| {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                Ok(rustix::fs::openat(CWD, &folder, flags, Mode::empty())?)
            });
        let tree = written.map_err(Error::io("write", &path))?;
        Ok(Mount { target: PIPES.to_owned(), source: Source::Tree(tree), readonly: true })
    }
}

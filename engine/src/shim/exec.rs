//! Further processes in the container: `exec`.

use super::child::{Child, Connection, streams};
use super::client::Client;
use super::json_log::Stream;
use super::launch::Contained;
use super::protocol::Attachment;
use super::ready::{Ready, Watch};
use super::root;
use crate::container::record::Record;
use crate::container::state::ProcessIdentity;
use crate::life::exec::ExecRecord;
use crate::spec;
use crate::{Engine, Error, Kind, Result, api, shim};
use process::{Options, Running, Streams, oci};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// What became of an exec that was to start.
pub(super) enum Begun {
    Running(Box<Started>),
    /// Its command could not be executed. Its exit code is written down.
    Failed {
        error: Error,
        tty: bool,
    },
}

/// An exec that runs, and what its client may do.
pub(super) struct Started {
    record: ExecRecord,
    child: Child,
    wants: Attachment,
}

/// Starts the exec that was recorded under this ID.
///
/// # Errors
/// When there is none, or it was started before. A command that cannot be executed is [`Begun::Failed`].
pub(super) fn begin(
    engine: &Engine,
    container: &Record,
    contained: &Contained,
    id: &str,
    detach: bool,
    size: Option<[u16; 2]>,
) -> Result<Begun> {
    let mut record = engine.exec_record(id)?;
    if record.running || record.exit_code.is_some() {
        return Err(Error::new(Kind::Conflict, format!("Error: Exec command {id} has already run")));
    }
    let config = record.config.clone();
    let [height, width] = size.or(config.console_size).unwrap_or_default();
    let connection = Connection {
        terminal: config.tty.then_some((height, width)),
        open_stdin: config.attach_stdin && !detach,
        stdin_once: true,
        output: !detach && (config.attach_stdout || config.attach_stderr),
    };
    let wants = Attachment {
        stdin: config.attach_stdin,
        stdout: config.attach_stdout,
        stderr: config.attach_stderr,
        detach_keys: shim::parse_detach_keys(Some(&config.detach_keys))?,
    };
    // (One that it links to may have ended since: then there is nothing to tell of it.)
    let container = &engine.with_link_environment(container).unwrap_or_else(|_| container.clone());
    match join(container, contained, &config, connection) {
        Ok(child) => {
            record.running = true;
            record.pid = child.running.pid;
            record.shim = ProcessIdentity::of(std::process::id().cast_signed());
            engine.save_exec(&record)?;
            Ok(Begun::Running(Box::new(Started { record, child, wants })))
        }
        Err((error, exit_code)) => {
            record.exit_code = Some(exit_code);
            engine.save_exec(&record)?;
            Ok(Begun::Failed { error, tty: config.tty })
        }
    }
}

fn join(
    container: &Record,
    contained: &Contained,
    config: &api::ExecConfig,
    connection: Connection,
) -> std::result::Result<Child, (Error, i32)> {
    let system = |error: Error| (error, 126);
    let (streams, ends) = streams(connection).map_err(system)?;
    let running = enter(container, contained, config, streams)?;
    Child::new(running, ends, connection, None).map_err(system)
}

/// Starts a process in the container. With the error comes the exit code that stands for it.
pub(super) fn enter(
    container: &Record,
    contained: &Contained,
    config: &api::ExecConfig,
    streams: Streams,
) -> std::result::Result<Running, (Error, i32)> {
    let process = process(container, contained, config).map_err(|error| (error, 126))?;
    let options = Options { cgroup: Some(&contained.cgroup), ..Options::default() };
    let pid = contained.init.running.pid;
    process::join(pid, &contained.spec, &process, streams, &options).map_err(|e| {
        let text = format!("OCI runtime exec failed: exec failed: {e}: unknown");
        // Docker: what fails before the command is looked for counts as "cannot be executed".
        (Error::new(Kind::Invalid, text), if e.exit_code() == 127 { 127 } else { 126 })
    })
}

/// The container's own process, changed as the exec says.
fn process(container: &Record, contained: &Contained, config: &api::ExecConfig) -> Result<oci::Process> {
    let mut process = contained.spec.process().clone().unwrap_or_default();
    process.set_args(config.cmd.clone());
    process.set_terminal(Some(config.tty));
    process.set_env(Some(environment(container, config)));
    if !config.working_dir.is_empty() {
        process.set_cwd(config.working_dir.clone().into());
    }
    let user = if config.user.is_empty() { &container.config.user } else { &config.user };
    let root = root::of(contained.init.running.pid)?;
    let user = process::user::resolve(root.folder.as_fd(), user, spec::groups(&container.host_config)?)?;
    let bounding = match config.privileged {
        true => process::capabilities::all(),
        false => spec::bounding(&container.host_config)?,
    };
    spec::settle(&mut process, &bounding, &user)?;
    Ok(process)
}

fn environment(container: &Record, config: &api::ExecConfig) -> Vec<String> {
    let mut container = container.clone();
    container.config.tty |= config.tty;
    container.config.env.get_or_insert_default().extend(config.env.iter().flatten().cloned());
    spec::environment(&container)
}

/// The execs of this container that run.
#[derive(Default)]
pub(super) struct Execs {
    running: Vec<(ExecRecord, Child)>,
}

impl Execs {
    /// Takes one in, with its client. Returns a client that only has to read why there is nothing.
    pub(super) fn begin(&mut self, begun: Begun, socket: Option<UnixStream>) -> Option<Client> {
        match begun {
            Begun::Running(started) => {
                let Started { record, mut child, wants } = *started;
                if let Some(socket) = socket {
                    let _gone = child.stdio.attach(socket, wants);
                }
                self.running.push((record, child));
                None
            }
            Begun::Failed { error, tty } => {
                let wants = Attachment { stdout: true, ..Attachment::default() };
                let mut client = Client::new(socket?, wants, tty).ok()?;
                client.send(Stream::Stdout, format!("{error}\r\n").as_bytes());
                client.close();
                (!client.is_gone()).then_some(client)
            }
        }
    }

    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        self.running.iter().for_each(|(_, child)| child.watch(watch));
    }

    /// Serves them. The clients of those that have ended may still have something to read.
    pub(super) fn serve(&mut self, ready: &Ready, engine: &Engine) -> Vec<Client> {
        let mut readers = Vec::new();
        for (record, mut child) in std::mem::take(&mut self.running) {
            match child.serve(ready, false) {
                Some(code) => readers.extend(end(engine, record, child, code)),
                None => self.running.push((record, child)),
            }
        }
        readers
    }

    pub(super) fn resize(&self, id: &str, height: u16, width: u16) -> Result<()> {
        let found = self.running.iter().find(|(record, _)| record.id == id);
        let Some((_, child)) = found else {
            return Err(Error::new(Kind::NotFound, format!("No such exec instance: {id}")));
        };
        child.stdio.resize(height, width).map_err(|e| Error::system("resize the terminal", e))
    }

    /// The container has ended, and they with it.
    pub(super) fn end_all(&mut self, engine: &Engine) -> Vec<Client> {
        let ended = std::mem::take(&mut self.running).into_iter();
        let killed = crate::container::state::KILLED;
        ended
            .flat_map(|(record, child)| {
                let code = child.exit_code().unwrap_or(killed);
                end(engine, record, child, code)
            })
            .collect()
    }
}

/// Written down first: who reads the end of the stream asks for the exit code next.
fn end(engine: &Engine, mut record: ExecRecord, child: Child, code: i32) -> Vec<Client> {
    record.running = false;
    record.exit_code = Some(code);
    record.pid = 0;
    if let Err(error) = engine.save_exec(&record) {
        tracing::warn!("exit code {code} of exec {} is lost: {error}", record.id);
    }
    engine.tell_exec("exec_die", &record, &[("exitCode", &code.to_string())]);
    child.finish()
}

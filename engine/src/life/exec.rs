//! Further processes in a running container.
//!
//! An exec is made, started and asked about by three requests, maybe from three processes; between them it is a file,
//! `<run>/execs/<id>.json`. The shim writes it while the process runs, so its exit code outlives shim and container.

use crate::container::id::ContainerId;
use crate::container::record::{Container, make_private_folder};
use crate::container::state::{ProcessIdentity, Status};
use crate::durable::{self, Durability};
use crate::shim::{self, Request};
use crate::{Attached, Engine, Error, Kind, Result, api};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How long the exit code of an exec is kept; Docker's figure.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// An exec on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExecRecord {
    pub id: String,
    pub container: ContainerId,
    pub config: api::ExecConfig,
    pub running: bool,
    /// Once it has ended, or failed to start.
    pub exit_code: Option<i32>,
    pub pid: i32,
    /// Who started it: with that one it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shim: Option<ProcessIdentity>,
}

impl ExecRecord {
    /// One that has not begun.
    pub(crate) fn new(id: String, container: ContainerId, config: api::ExecConfig) -> Self {
        Self { id, container, config, running: false, exit_code: None, pid: 0, shim: None }
    }
}

impl Engine {
    /// Prepares a process in a running container.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the container does not run, or is paused.
    pub fn exec_create(&self, container: &str, config: api::ExecConfig) -> Result<api::IdResponse> {
        let name = container;
        let container = self.find(name)?;
        must_run(&container, name)?;
        if config.cmd.as_ref().is_none_or(Vec::is_empty) {
            return Err(Error::new(Kind::Invalid, "No exec command specified"));
        }
        shim::parse_detach_keys(Some(&config.detach_keys))?;
        self.forget_execs(|record, age| !record.running && age > KEPT);
        let id = ContainerId::random().to_string();
        let record = ExecRecord::new(id.clone(), container.id, config);
        make_private_folder(&self.execs_folder())?;
        self.save_exec(&record)?;
        self.tell_exec("exec_create", &record, &[]);
        Ok(api::IdResponse { id })
    }

    /// Starts it. None when detached.
    ///
    /// # Errors
    /// As [`Engine::exec_create`]. A command that cannot be executed says so on the stream, as with Docker; detached,
    /// it is an error.
    pub fn exec_start(&self, exec: &str, start: &api::ExecStart) -> Result<Option<Attached>> {
        let record = self.exec_record(exec)?;
        let container = self.container(&record.container);
        must_run(&container, container.id.as_str())?;
        let tty = record.config.tty;
        let request = Request::Exec { id: record.id.clone(), detach: start.detach, size: start.console_size };
        self.tell_exec("exec_start", &record, &[]);
        match shim::open(&container, request)? {
            Some(_) if start.detach => Ok(None),
            Some(stream) => Ok(Some(Attached { stream, tty })),
            None => Err(not_running(&container)),
        }
    }

    /// What is known of it, also when it has ended.
    pub fn exec_inspect(&self, exec: &str) -> Result<api::ExecInspect> {
        let container = self.container(&self.exec_record(exec)?.container);
        let there = shim::is_there(&container)?;
        // Looked at afterwards: what a shim writes down, it writes before it goes.
        let mut record = self.exec_record(exec)?;
        if record.running && !(there && container.written_state()?.shim == record.shim) {
            // Its shim was killed, and it died with it. (There may be another by now.)
            if let Some(words) = container.last_words() {
                return Err(Error::new(Kind::System, words));
            }
            (record.running, record.pid, record.exit_code) = (false, 0, Some(crate::container::state::KILLED));
        }
        let config = record.config;
        let mut command = config.cmd.unwrap_or_default().into_iter();
        Ok(api::ExecInspect {
            id: record.id,
            running: record.running,
            exit_code: record.exit_code,
            process_config: api::ExecProcess {
                tty: config.tty,
                entrypoint: command.next().unwrap_or_default(),
                arguments: command.collect(),
                privileged: config.privileged,
                user: config.user,
            },
            open_stdin: config.attach_stdin,
            open_stderr: config.attach_stderr,
            open_stdout: config.attach_stdout,
            can_remove: !record.running,
            container_id: record.container.into(),
            pid: record.pid,
        })
    }

    /// Changes the size of its terminal.
    pub fn exec_resize(&self, exec: &str, height: u16, width: u16) -> Result<()> {
        let record = self.exec_record(exec)?;
        let container = self.container(&record.container);
        let request = Request::ExecResize { id: record.id, height, width };
        shim::call(&container, request)?.map(drop).ok_or_else(|| not_running(&container))
    }

    fn execs_folder(&self) -> PathBuf {
        self.roots.run.join("execs")
    }

    fn exec_path(&self, id: &str) -> PathBuf {
        self.execs_folder().join(format!("{id}.json"))
    }

    pub(crate) fn exec_record(&self, id: &str) -> Result<ExecRecord> {
        let missing = || Error::new(Kind::NotFound, format!("No such exec instance: {id}"));
        let id = ContainerId::parse(id).ok_or_else(missing)?;
        durable::read_json(&self.exec_path(id.as_str()))?.ok_or_else(missing)
    }

    pub(crate) fn save_exec(&self, record: &ExecRecord) -> Result<()> {
        durable::write_json(&self.exec_path(&record.id), record, Durability::Passing)
    }

    /// The IDs of the execs that run in a container.
    pub(crate) fn running_execs(&self, container: &Container) -> Vec<String> {
        let records = self.exec_records().into_iter();
        records
            .filter(|(record, _)| record.running && record.container == container.id)
            .map(|(record, _)| record.id)
            .collect()
    }

    /// A container that is removed takes the memory of its execs along.
    pub(crate) fn forget_execs_of(&self, container: &Container) {
        self.forget_execs(|record, _| record.container == container.id);
    }

    fn forget_execs(&self, which: impl Fn(&ExecRecord, Duration) -> bool) {
        for (record, age) in self.exec_records() {
            if which(&record, age)
                && let Err(error) = fs::remove_file(self.exec_path(&record.id))
            {
                tracing::warn!("exec {} is not forgotten: {error}", record.id);
            }
        }
    }

    /// All, with the time since each was last written.
    fn exec_records(&self) -> Vec<(ExecRecord, Duration)> {
        let Ok(entries) = fs::read_dir(self.execs_folder()) else { return Vec::new() };
        let read = |entry: fs::DirEntry| {
            let written = entry.metadata().ok()?.modified().ok()?;
            let age = SystemTime::now().duration_since(written).unwrap_or_default();
            Some((durable::read_json(&entry.path()).ok()??, age))
        };
        entries.flatten().filter_map(read).collect()
    }

    /// Docker's name for the event carries the command.
    pub(crate) fn tell_exec(&self, action: &str, record: &ExecRecord, more: &[(&str, &str)]) {
        let container = self.container(&record.container);
        // Removed meanwhile: then its events are over, too.
        let Ok(of) = container.record() else { return };
        let command = record.config.cmd.clone().unwrap_or_default().join(" ");
        let action = if action == "exec_die" { action.to_owned() } else { format!("{action}: {command}") };
        let mut attributes = vec![("execID", record.id.as_str())];
        attributes.extend(more);
        self.tell_container(&action, &container, &of, &attributes);
    }
}

fn must_run(container: &Container, name: &str) -> Result<()> {
    match container.state()?.status {
        Status::Running => Ok(()),
        Status::Paused => {
            let text = format!("container {name} is paused, unpause the container before exec");
            Err(Error::new(Kind::Conflict, text))
        }
        Status::Restarting => {
            let text = format!("Container {} is restarting, wait until the container is running", container.id);
            Err(Error::new(Kind::Conflict, text))
        }
        _ => Err(not_running(container)),
    }
}

/// Docker's words; and why, if its shim has said it.
pub(crate) fn not_running(container: &Container) -> Error {
    let why = container.last_words().map(|words| format!(": {words}")).unwrap_or_default();
    Error::new(Kind::Conflict, format!("container {} is not running{why}", container.id))
}

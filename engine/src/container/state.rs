//! What a container is doing, as `containers/<id>/state.json` says it, and whether that can still be true.
//!
//! The shim writes this file while the container runs. A shim that was killed cannot write its last word, so a reader
//! never believes `running` by itself: it looks whether that shim still lives ([`State::corrected`]).

use crate::api;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Docker's words for where a container is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Never started.
    #[default]
    Created,
    /// Its init process lives.
    Running,
    /// It lives, frozen.
    Paused,
    /// It ended, and its restart policy is about to start it again.
    Restarting,
    /// It is being deleted.
    Removing,
    /// It ended.
    Exited,
    /// It could not be deleted.
    Dead,
}

impl Status {
    pub(crate) const ALL: [Self; 7] =
        [Self::Created, Self::Running, Self::Paused, Self::Restarting, Self::Removing, Self::Exited, Self::Dead];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// Whether a shim owns the container: what Docker calls running, paused and restarting containers included.
    pub(crate) fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A process, such that another one that got the same number later is not taken for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ProcessIdentity {
    pub pid: i32,
    /// Field 22 of `/proc/<pid>/stat`: clock ticks between the boot and the start of the process (proc_pid_stat(5)).
    pub start_time: u64,
}

impl ProcessIdentity {
    /// The identity of the process that has this number now.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the command in parentheses, and may itself hold blanks and parentheses.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?;
        let start_time = fields.nth(18)?.parse().ok()?;
        // A zombie is dead: its parent has merely not been told yet.
        (state != "Z" && state != "X").then_some(Self { pid, start_time })
    }

    pub(crate) fn is_alive(self) -> bool {
        self.pid > 0 && Self::of(self.pid) == Some(self)
    }
}

/// `0001-01-01T00:00:00Z`: Docker's way to write "never".
pub(crate) const NEVER: &str = "0001-01-01T00:00:00Z";

/// The exit code of a container whose shim was killed: its init got SIGKILL with it (PR_SET_PDEATHSIG).
pub(crate) const KILLED: i32 = 128 + 9;

/// `state.json`. A missing file is a container that was never started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct State {
    pub status: Status,
    /// The init process, as the host numbers it; 0 when there is none.
    pub pid: i32,
    /// Who owns the container while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shim: Option<ProcessIdentity>,
    pub exit_code: i32,
    /// Why the last start failed.
    pub error: String,
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// RFC 3339, or [`NEVER`].
    pub started_at: String,
    /// RFC 3339, or [`NEVER`].
    pub finished_at: String,
    /// How often the restart policy has started it again.
    pub restart_count: u32,
    /// What its shim said when it panicked, and the container died with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_words: Option<String>,
    /// The user stopped it: `unless-stopped` and `on-failure` then leave it alone.
    pub manually_stopped: bool,
    /// What its health check says, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<api::Health>,
    /// It is being removed with its volumes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub volumes_too: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            status: Status::Created,
            pid: 0,
            shim: None,
            exit_code: 0,
            error: String::new(),
            oom_killed: false,
            started_at: NEVER.to_owned(),
            finished_at: NEVER.to_owned(),
            restart_count: 0,
            last_words: None,
            manually_stopped: false,
            health: None,
            volumes_too: false,
        }
    }
}

impl State {
    /// Whether it says that a shim owns the container, and no such shim lives.
    pub(crate) fn is_orphaned(&self) -> bool {
        self.status.is_running() && !self.shim.is_some_and(ProcessIdentity::is_alive)
    }

    /// The state with the truth in it: a container whose shim died has exited, killed.
    pub(crate) fn corrected(self) -> Self {
        if !self.is_orphaned() {
            return self;
        }
        let finished_at = now();
        let health = self.health.map(api::Health::stopped);
        Self { status: Status::Exited, pid: 0, shim: None, exit_code: KILLED, finished_at, health, ..self }
    }

    /// As `inspect` shows it.
    pub(crate) fn to_api(&self) -> api::ContainerState {
        api::ContainerState {
            status: self.status.to_string(),
            running: self.status.is_running(),
            paused: self.status == Status::Paused,
            restarting: self.status == Status::Restarting,
            oom_killed: self.oom_killed,
            dead: self.status == Status::Dead,
            pid: self.pid,
            exit_code: self.exit_code,
            error: self.last_words.clone().unwrap_or_else(|| self.error.clone()),
            started_at: self.started_at.clone(),
            finished_at: self.finished_at.clone(),
            health: self.health.clone(),
        }
    }
}

/// This moment, as records write it: RFC 3339 in UTC with nanoseconds.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_its_successor() {
        let me = ProcessIdentity::of(std::process::id() as i32).unwrap();
        assert!(me.is_alive());
        assert!(!ProcessIdentity { start_time: me.start_time + 1, ..me }.is_alive());
        assert!(!ProcessIdentity::default().is_alive());
    }

    #[test]
    fn a_dead_shim_is_not_believed() {
        let lying = State {
            status: Status::Running,
            pid: 42,
            shim: Some(ProcessIdentity { pid: 1, start_time: u64::MAX }),
            ..State::default()
        };
        let truth = lying.corrected();
        assert_eq!((truth.status, truth.pid, truth.exit_code), (Status::Exited, 0, 137));
        let me = ProcessIdentity::of(std::process::id() as i32);
        let running = State { status: Status::Running, shim: me, ..State::default() };
        assert_eq!(running.clone().corrected(), running);
    }

    #[test]
    fn state_json_is_readable_by_people() {
        insta::assert_json_snapshot!(State::default(), @r#"
        {
          "Status": "created",
          "Pid": 0,
          "ExitCode": 0,
          "Error": "",
          "OOMKilled": false,
          "StartedAt": "0001-01-01T00:00:00Z",
          "FinishedAt": "0001-01-01T00:00:00Z",
          "RestartCount": 0,
          "ManuallyStopped": false
        }
        "#);
    }
}

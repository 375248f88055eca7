//! From a record on disk to a running process: root filesystem, specification, cgroup, streams, and `process::launch`.

use super::child::{Child, Connection, streams};
use super::client::Client;
use super::json_log::JsonLog;
use super::ready::{Ready, Watch};
use crate::container::record::{Container, Record};
use crate::durable::{self, Durability};
use crate::network::{Connected, HostPorts, Sweep};
use crate::spec;
use crate::spec::network_files;
use crate::volume::at_start::Shown;
use crate::{Engine, Error, Kind};
use process::cgroup::Cgroup;
use process::{Options, Rootfs, oci};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// A container that runs.
#[derive(Debug)]
pub(super) struct Contained {
    pub init: Child,
    pub spec: oci::Spec,
    pub cgroup: Cgroup,
    pub since: Instant,
    pub network: Option<Connected>,
    /// It has processes in its PID namespace only, so all of them die with init.
    own_pids: bool,
}

/// Why a container did not start, and the exit code it gets for it.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: Error,
    pub exit_code: i32,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, exit_code: 128 }
    }
}

impl From<process::Error> for Failure {
    /// Docker's words around those of the runtime; what the user got wrong is a 400, as with Docker.
    fn from(error: process::Error) -> Self {
        let exit_code = error.exit_code();
        // Looked up before there is any process: dockerd says it without a word of the runtime. And an open exercise is
        // nobody's words but ours.
        if let process::Error::UnknownUser(_) | process::Error::UnknownGroup(_) | process::Error::Panicked(_) = error {
            return Self { error: Error::new(Kind::System, error.to_string()), exit_code };
        }
        let kind = if matches!(exit_code, 126 | 127) { Kind::Invalid } else { Kind::System };
        let hint = match error.is_folder_on_file() {
            true => {
                ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is \
                 the expected type"
            }
            false => "",
        };
        let text = format!(
            "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: \
             {error}: unknown{hint}"
        );
        Self { error: Error::new(kind, text), exit_code }
    }
}

/// Starts the container's first process.
pub(super) fn launch(
    engine: &Engine,
    container: &Container,
    record: &Record,
    ports: &mut HostPorts,
) -> Result<Contained, Failure> {
    let shown = engine.show_mounts(record)?;
    let launched = launch_with(engine, container, record, shown, ports);
    if launched.is_err() {
        engine.hide_mounts(record);
    }
    launched
}

fn launch_with(
    engine: &Engine,
    container: &Container,
    record: &Record,
    mut shown: Shown,
    ports: &mut HostPorts,
) -> Result<Contained, Failure> {
    let log = JsonLog::new(&container.log_path(), &record.host_config.log_config)?;
    engine.make_targets(container, record, &mut shown)?;
    let root = engine.mount_rootfs(container, record)?;
    let mut network = Connected::new(engine, container, record, ports)?;
    let launched = launch_on(engine, container, record, &shown, root, network.as_ref(), log);
    match launched {
        Ok(contained) => {
            engine.tell_linking(container);
            Ok(Contained { network, ..contained })
        }
        Err(failure) => {
            if let Some(network) = &mut network {
                network.undo(engine);
            }
            Err(failure)
        }
    }
}

/// The same, on its networks.
fn launch_on(
    engine: &Engine,
    container: &Container,
    record: &Record,
    shown: &Shown,
    root: OwnedFd,
    network: Option<&Connected>,
    log: Option<JsonLog>,
) -> Result<Contained, Failure> {
    let spec = specification(engine, container, record, shown, root.as_fd(), network)?;
    let resources = spec.linux().as_ref().and_then(|linux| linux.resources().clone()).unwrap_or_default();
    // What is passed over was told when the container was created.
    let (cgroup, _passed_over) = Cgroup::create(container.id.as_str(), &resources)?;
    let result = launch_in(&cgroup, root, &spec, record, log);
    match result {
        Ok(init) => Ok(Contained {
            init,
            spec,
            cgroup,
            since: Instant::now(),
            network: None,
            own_pids: record.host_config.pid_mode.is_empty(),
        }),
        Err(failure) => {
            if let Err(error) = cgroup.remove() {
                tracing::warn!("cgroup of container {}: {error}", container.id);
            }
            Err(failure)
        }
    }
}

/// The specification, with the user that the container's own /etc/passwd knows. Left in the run folder, where people and
/// other tools look for a bundle's `config.json`.
fn specification(
    engine: &Engine,
    container: &Container,
    record: &Record,
    shown: &Shown,
    root: BorrowedFd<'_>,
    network: Option<&Connected>,
) -> Result<oci::Spec, Failure> {
    let attachments = network.map(|network| network.attachments.as_slice()).unwrap_or_default();
    let other = record.host_config.network_mode.strip_prefix("container:");
    let joined = other.map(|other| engine.join_network_of(other, container)).transpose()?;
    if joined.is_none() {
        network_files::write(container, record, attachments, &engine.link_hosts(record))?;
    }
    let record = &engine.with_link_environment(record)?;
    let mut spec = spec::spec(container, record, shown)?;
    if let Some(joined) = joined {
        spec::set_network(&mut spec, &joined.namespace);
        spec.set_hostname(spec.hostname().as_ref().and(Some(joined.hostname)));
    } else if let Some(network) = network {
        spec::set_network(&mut spec, &network.namespace_path());
    }
    let user = process::user::resolve(root, &record.config.user, spec::groups(&record.host_config)?)?;
    spec::settle_user(&mut spec, record, &user)?;
    durable::write_json(&container.run.join("config.json"), &spec, Durability::Passing)?;
    Ok(spec)
}

fn launch_in(
    cgroup: &Cgroup,
    root: OwnedFd,
    spec: &oci::Spec,
    record: &Record,
    log: Option<JsonLog>,
) -> Result<Child, Failure> {
    let config = &record.config;
    let [height, width] = record.host_config.console_size;
    let connection = Connection {
        terminal: config.tty.then_some((height, width)),
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        output: true,
    };
    let (streams, ends) = streams(connection)?;
    let init = record.host_config.init == Some(true);
    let options = Options { init, cgroup: Some(cgroup), ..Options::default() };
    let running = process::launch(spec, Rootfs::Mount(root), streams, &options)?;
    Ok(Child::new(running, ends, connection, log)?)
}

impl Contained {
    /// Waits for the first process, its streams, and whoever asks its name server.
    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        self.init.watch(watch);
        if let Some(network) = &self.network {
            network.watch(&mut |fd, writes| watch.borrowed(fd, writes));
            network.deadline().iter().for_each(|deadline| watch.until(*deadline));
        }
    }

    /// Serves the first process, and returns its exit code when it has ended.
    pub(super) fn serve(&mut self, ready: &Ready) -> Option<i32> {
        if let Some(network) = &mut self.network {
            let mut come = network.deadline().is_some_and(|deadline| Instant::now() >= deadline);
            network.watch(&mut |fd, _| come |= ready.has_come(fd));
            if come {
                network.serve(&|fd| ready.has_come(fd));
            }
        }
        self.init.serve(ready, self.own_pids)
    }

    /// Clears away what is left of the container: whether the kernel has killed for memory, and who still reads.
    pub(super) fn finish(mut self, engine: &Engine) -> (bool, Vec<Client>, Option<Sweep>) {
        let oom_killed = self.cgroup.oom_kills() > 0;
        if !self.own_pids
            && let Err(error) = self.cgroup.kill()
        {
            tracing::warn!("processes of a container remain: {error}");
        }
        if let Err(error) = self.cgroup.remove() {
            tracing::warn!("a container's cgroup remains: {error}");
        }
        let released = self.network.as_mut().map(|network| network.release(engine));
        let sweep = released.and_then(|released| {
            released.inspect_err(|error| tracing::warn!("networks of a container remain: {error}")).ok().flatten()
        });
        (oom_killed, self.init.finish(), sweep)
    }
}

//! `--debug-shell`: a container in the state before the command that failed.

use super::super::start::attached;
use crate::output::warn;
use crate::session;
use crate::terminal::{DetachKeys, Streams};
use daemon::Client;
use engine::api::{ContainerConfig, CreateRequest, CreateResponse, HostConfig, ImageInspect};
use std::rc::Rc;

/// Opens a shell in a container of this image, and removes both when the user leaves it.
pub(super) async fn open(client: &Rc<Client>, image: &str) -> anyhow::Result<()> {
    let result = run(client, image).await;
    if let Err(error) = &result {
        warn(format!("no shell: {}", session::message(error)));
    }
    client.delete(format!("/images/{image}")).query("force", 1).send().await?;
    Ok(())
}

async fn run(client: &Rc<Client>, image: &str) -> anyhow::Result<()> {
    let inspect: ImageInspect = client.get(format!("/images/{image}/json")).json().await?;
    // The one that the build's own commands are given to.
    let shell = inspect.config.shell.into_iter().flatten().next().unwrap_or_else(|| "/bin/sh".to_owned());
    let request = CreateRequest {
        config: ContainerConfig {
            image: image.to_owned(),
            entrypoint: Some(vec![shell]),
            cmd: Some(Vec::new()),
            tty: true,
            open_stdin: true,
            stdin_once: true,
            attach_stdin: true,
            attach_stdout: true,
            attach_stderr: true,
            ..ContainerConfig::default()
        },
        host_config: HostConfig { auto_remove: true, ..HostConfig::default() },
        networking_config: None,
    };
    let created: CreateResponse = client.post("/containers/create").body_json(&request).json().await?;
    warn("A shell in the state before the command that failed; leave it to end the build.");
    let streams = Streams { stdin: true, stdout: true, stderr: true, tty: true, keys: DetachKeys::choose(None)? };
    // With what code it is left says nothing of the build.
    let left = attached(client, &created.id, &streams, true, |error| anyhow::anyhow!(session::message(error))).await;
    match left {
        Err(error) if error.downcast_ref::<crate::failure::Exit>().is_none() => Err(error),
        _ => Ok(()),
    }
}

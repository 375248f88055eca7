//! Files on their way into the containers of a service.

use super::Watching;
use super::rules::Change;
use crate::command::compose::fail;
use ::compose::containers::{self, Container, OneOff, Wanted};
use ::daemon::Client;
use anyhow::{Result, bail};
use daemon::client::Hijacked;
use daemon::client::copy::{Sent, several};
use engine::api::{ExecConfig, ExecInspect, ExecStart, IdResponse};
use futures_util::future::join_all;
use tokio::io::AsyncReadExt as _;

impl Watching<'_> {
    pub(super) async fn containers(&self, service: &str, all: bool) -> Result<Vec<Container>> {
        let services = [service.to_owned()];
        let wanted = Wanted { project: &self.model.name, services: &services, one_off: OneOff::Without, all };
        containers::find(self.client, wanted).await.map_err(fail)
    }

    /// Copies what is there into all containers of a service, and removes what is not.
    pub(super) async fn sync(&self, service: &str, changes: &[Change]) -> Result<()> {
        let (there, gone): (Vec<&Change>, Vec<&Change>) =
            changes.iter().partition(|change| change.host.symlink_metadata().is_ok());
        let containers = self.containers(service, true).await?;
        let synced = join_all(containers.iter().map(|container| one(self.client, container, &there, &gone))).await;
        synced.into_iter().collect()
    }
}

async fn one(client: &Client, container: &Container, there: &[&Change], gone: &[&Change]) -> Result<()> {
    let id = &container.id[..container.id.len().min(12)];
    if !gone.is_empty() {
        let paths = gone.iter().map(|change| change.container.to_string_lossy().into_owned());
        let words = ["rm", "-rf", "--"].map(str::to_owned).into_iter().chain(paths).collect();
        let (mut output, exec) = exec(client, &container.id, words).await?;
        let mut said = Vec::new();
        output.read_to_end(&mut said).await?;
        match code(client, &exec).await? {
            0 => {}
            code => bail!("deleting paths in {id}: exit code {code}"),
        }
    }
    if there.is_empty() {
        return Ok(());
    }
    match copy(client, &container.id, there, true).await {
        // The container has a link where we have a folder: what is in it can be copied all the same.
        Err(error) if error.message.contains("cannot overwrite non-directory") => {
            copy(client, &container.id, there, false).await.map_err(anyhow::Error::from)
        }
        copied => copied.map_err(anyhow::Error::from),
    }
    .map_err(|error| error.context(format!("copying files to {id}")))
}

async fn copy(client: &Client, id: &str, changes: &[&Change], folders: bool) -> daemon::client::Result<()> {
    let is_sent = |change: &&&Change| folders || !change.host.is_dir();
    let sent = |change: &&Change| Sent { path: change.host.clone(), name: change.container.clone() };
    let files = changes.iter().filter(is_sent).map(sent).collect();
    let request = client.put(format!("/containers/{id}/archive")).query("path", "/").query("copyUIDGID", true);
    request.query("noOverwriteDirNonDir", true).body_stream(several(files)).send().await
}

/// Begins a command in a container.
pub(super) async fn exec(client: &Client, id: &str, words: Vec<String>) -> Result<(Hijacked, String)> {
    let config = ExecConfig { attach_stdout: true, attach_stderr: true, cmd: Some(words), ..ExecConfig::default() };
    let exec: IdResponse = client.post(format!("/containers/{id}/exec")).body_json(&config).json().await?;
    let output = client.post(format!("/exec/{}/start", exec.id)).body_json(&ExecStart::default()).hijack().await?;
    Ok((output, exec.id))
}

/// How it ended.
pub(super) async fn code(client: &Client, exec: &str) -> Result<i64> {
    let ended: ExecInspect = client.get(format!("/exec/{exec}/json")).json().await?;
    Ok(ended.exit_code.unwrap_or(0).into())
}

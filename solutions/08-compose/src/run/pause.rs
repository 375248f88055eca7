//! Pausing what a project runs, and letting it go on.

use super::all;
use crate::containers::Container;
use crate::error::Result;
use crate::steps::Report;
use daemon::Client;

/// Pauses containers. One that is paused already stays so.
///
/// # Errors
/// One cannot be paused.
pub async fn pause(client: &Client, containers: &[Container], report: &dyn Report) -> Result<()> {
    let running = containers.iter().filter(|container| container.state() != "paused");
    all(running.map(|container| tell(client, container, "pause", "Paused", report))).await.map(drop)
}

/// Lets paused containers go on.
///
/// # Errors
/// One cannot be.
pub async fn unpause(client: &Client, containers: &[Container], report: &dyn Report) -> Result<()> {
    let paused = containers.iter().filter(|container| container.state() == "paused");
    all(paused.map(|container| tell(client, container, "unpause", "Unpaused", report))).await.map(drop)
}

async fn tell(client: &Client, container: &Container, what: &str, done: &str, report: &dyn Report) -> Result<()> {
    client.post(format!("/containers/{}/{what}", container.id)).send().await?;
    report.done(&format!("Container {}", container.name), done);
    Ok(())
}

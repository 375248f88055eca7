//! Stopping, removing, killing and restarting what a project has: by the labels of its containers, with or without its files.

use super::all;
use super::walk::{Failed, Way, walk};
use crate::containers::{Container, dependencies};
use crate::error::Result;
use crate::order::Dependencies;
use crate::steps::Report;
use daemon::Client;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;

/// What is removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Removal {
    /// Seconds to stop, where it is not the container's own.
    pub timeout: Option<i64>,
    /// With their anonymous volumes.
    pub volumes: bool,
}

/// Stops containers, those that wait for others before these.
///
/// # Errors
/// One cannot be stopped; the others of its kind are.
pub async fn stop(client: &Client, containers: &[Container], timeout: Option<i64>, report: &dyn Report) -> Result<()> {
    let graph = dependencies(containers);
    let visit = async |name: &str| {
        all(of(containers, name).map(|container| one(client, container, timeout, report))).await.map(drop)
    };
    walk(&graph, Way::Down, &Failed::default(), visit).await
}

/// Stops and removes containers, those that wait for others before these. Only the stops have their order: what has stopped is
/// removed while others are still stopping.
///
/// # Errors
/// One cannot be removed.
pub async fn remove(client: &Client, containers: &[Container], how: Removal, report: &dyn Report) -> Result<()> {
    remove_and(client, containers, how, report, async { Ok(()) }).await
}

/// The same, and `then`, which begins once all have stopped: a network may go with the containers that were on it.
pub(super) async fn remove_and<T>(
    client: &Client,
    containers: &[Container],
    how: Removal,
    report: &dyn Report,
    then: impl Future<Output = Result<T>>,
) -> Result<T> {
    let graph = dependencies(containers);
    let (sender, stopped) = mpsc::unbounded_channel();
    let stopping = async move {
        let stop = async |container| {
            stop_if_up(client, container, how.timeout, report).await?;
            // Nobody hears it only if everything has failed already.
            let _unheard = sender.send(container);
            Ok(())
        };
        let visit = async |name: &str| all(of(containers, name).map(&stop)).await.map(drop);
        walk(&graph, Way::Down, &Failed::default(), visit).await?;
        then.await
    };
    let stopped = stream::unfold(stopped, async |mut stopped| Some((stopped.recv().await?, stopped)));
    let removing =
        stopped.map(Ok).try_for_each_concurrent(None, |container| delete(client, container, how.volumes, report));
    let (done, removed) = tokio::join!(stopping, removing);
    removed.and(done)
}

/// Kills all that run.
///
/// # Errors
/// One cannot be killed.
pub async fn kill(client: &Client, containers: &[Container], signal: &str, report: &dyn Report) -> Result<()> {
    let kill = async |container: &Container| {
        let object = object(container);
        report.working(&object, "Killing");
        match client.post(format!("/containers/{}/kill", container.id)).query("signal", signal).send().await {
            // It has ended in the meantime.
            Err(error) if !matches!(error.status, 404 | 409) => {
                report.failed(&object, "Error while Killing");
                Err(error.into())
            }
            _ => {
                report.done(&object, "Killed");
                Ok(())
            }
        }
    };
    all(containers.iter().filter(|container| container.is_up()).map(kill)).await.map(drop)
}

/// Restarts containers in their order. `graph` tells which of their services wait for which, as far as that matters.
///
/// # Errors
/// One cannot be restarted.
pub async fn restart(
    client: &Client,
    containers: &[Container],
    graph: &Dependencies,
    timeout: Option<i64>,
    report: &dyn Report,
) -> Result<()> {
    let restart = async |container: &Container| {
        let object = object(container);
        report.working(&object, "Restarting");
        let request = client.post(format!("/containers/{}/restart", container.id)).query_opt("t", timeout);
        if let Err(error) = request.send().await {
            report.failed(&object, &error.message);
            return Err(error.into());
        }
        report.done(&object, "Started");
        Ok(())
    };
    let visit = async |name: &str| all(of(containers, name).map(restart)).await.map(drop);
    walk(graph, Way::Up, &Failed::default(), visit).await
}

fn of<'a>(containers: &'a [Container], service: &str) -> impl Iterator<Item = &'a Container> {
    containers.iter().filter(move |container| container.service == service)
}

fn object(container: &Container) -> String {
    format!("Container {}", container.name)
}

/// Stops one.
pub(super) async fn one(
    client: &Client,
    container: &Container,
    timeout: Option<i64>,
    report: &dyn Report,
) -> Result<()> {
    let object = object(container);
    report.working(&object, "Stopping");
    match client.post(format!("/containers/{}/stop", container.id)).query_opt("t", timeout).send().await {
        Err(error) if !error.is_not_found() => {
            report.failed(&object, "Error while Stopping");
            Err(error.into())
        }
        _ => {
            report.done(&object, "Stopped");
            Ok(())
        }
    }
}

/// Stops one and removes it. One that is gone, or just going, is what was wanted.
pub(super) async fn remove_one(
    client: &Client,
    container: &Container,
    timeout: Option<i64>,
    volumes: bool,
    report: &dyn Report,
) -> Result<()> {
    stop_if_up(client, container, timeout, report).await?;
    delete(client, container, volumes, report).await
}

async fn stop_if_up(client: &Client, container: &Container, timeout: Option<i64>, report: &dyn Report) -> Result<()> {
    if container.is_up() { one(client, container, timeout, report).await } else { Ok(()) }
}

async fn delete(client: &Client, container: &Container, volumes: bool, report: &dyn Report) -> Result<()> {
    let object = object(container);
    report.working(&object, "Removing");
    let request = client.delete(format!("/containers/{}", container.id)).query("force", true).query("v", volumes);
    match request.send().await {
        Err(error) if !matches!(error.status, 404 | 409) => {
            report.failed(&object, "Error while Removing");
            return Err(error.into());
        }
        _ => report.done(&object, "Removed"),
    }
    if volumes { forget_volumes(client, container).await } else { Ok(()) }
}

/// Removes the anonymous volumes of a container that is gone. Those that went with it, and those that another one uses, are as
/// they should be.
pub(super) async fn forget_volumes(client: &Client, container: &Container) -> Result<()> {
    for name in container.anonymous_volumes() {
        match client.delete(format!("/volumes/{name}")).send().await {
            Err(error) if !matches!(error.status, 404 | 409) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

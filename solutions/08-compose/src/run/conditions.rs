//! Waiting for others: until they run, are well, or have ended well.

use super::walk::Failed;
use crate::containers::Container;
use crate::error::{Error, Result};
use crate::model::{Condition, Dependency};
use crate::steps::Report;
use daemon::Client;
use engine::api::{ContainerInspect, HealthStatus};
use std::time::Duration;

/// A container's health is looked at again after so long, and then less and less often.
const FIRST: Duration = Duration::from_millis(10);
const LAST: Duration = Duration::from_millis(250);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Healthy,
    /// Healthy, or running where nothing can tell whether it is well.
    RunningOrHealthy,
    Completed,
}

impl Until {
    /// None: it is enough that the other one was started.
    pub(super) fn of(condition: Condition) -> Option<Self> {
        match condition {
            Condition::Started => None,
            Condition::Healthy => Some(Self::Healthy),
            Condition::CompletedSuccessfully => Some(Self::Completed),
        }
    }
}

/// Who waits.
pub(super) struct Waiter<'a> {
    pub(super) client: &'a Client,
    pub(super) report: &'a dyn Report,
    pub(super) failed: &'a Failed,
}

impl Waiter<'_> {
    /// Waits for all containers of a service. One that need not be there is not worth an error.
    pub(super) async fn wait(
        &self,
        service: &str,
        on: Dependency,
        until: Until,
        containers: &[Container],
    ) -> Result<()> {
        let tell = |text: &str| containers.iter().for_each(|c| self.report.working(&object(c), text));
        tell("Waiting");
        match self.every(service, until, containers).await {
            Ok(()) if self.failed.is_set() => Ok(()),
            Ok(()) => {
                let text = if until == Until::Completed { "Exited" } else { "Healthy" };
                containers.iter().for_each(|container| self.report.done(&object(container), text));
                Ok(())
            }
            Err(error) if !on.required => {
                tracing::warn!("optional dependency {service:?} failed to start: {error}");
                containers.iter().for_each(|c| {
                    self.report.warning(&object(c), &format!("optional dependency {service:?} failed to start"))
                });
                Ok(())
            }
            Err(error) => {
                let why = match until {
                    Until::Completed => error.to_string(),
                    _ => format!("dependency {service} failed to start"),
                };
                containers.iter().for_each(|container| self.report.failed(&object(container), &why));
                Err(match until {
                    Until::Healthy => Error::Failed(format!("dependency failed to start: {error}")),
                    _ => error,
                })
            }
        }
    }

    async fn every(&self, service: &str, until: Until, containers: &[Container]) -> Result<()> {
        for container in containers {
            let mut pause = FIRST;
            while !self.failed.is_set() {
                let seen: ContainerInspect =
                    self.client.get(format!("/containers/{}/json", container.id)).json().await?;
                if reached(service, until, &seen)? {
                    break;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LAST);
            }
        }
        Ok(())
    }
}

fn object(container: &Container) -> String {
    format!("Container {}", container.name)
}

/// Whether it is there; an error if it never will be.
fn reached(service: &str, until: Until, seen: &ContainerInspect) -> Result<bool> {
    let name = seen.name.trim_start_matches('/');
    let state = &seen.state;
    let fail = |why: String| Err(Error::Failed(why));
    let has_ended = matches!(state.status.as_str(), "exited" | "dead");
    if until == Until::Completed {
        return match (has_ended, state.exit_code) {
            (true, 0) => Ok(true),
            (true, code) => fail(format!("service {service:?} didn't complete successfully: exit {code}")),
            (false, _) => Ok(false),
        };
    }
    if has_ended {
        return fail(format!("container {name} exited ({})", state.exit_code));
    }
    match state.health.as_ref().map_or(HealthStatus::None, |health| health.status) {
        HealthStatus::Healthy => Ok(true),
        HealthStatus::Unhealthy => fail(format!("container {name} is unhealthy")),
        HealthStatus::Starting => Ok(false),
        HealthStatus::None if until == Until::RunningOrHealthy => Ok(state.running),
        // Between its creation and its start it has none yet.
        HealthStatus::None if !state.running => Ok(false),
        HealthStatus::None => fail(format!("container {name} has no healthcheck configured")),
    }
}

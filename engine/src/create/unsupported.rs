//! What Docker has and Kesako does not, or not yet: said at create, clearly. Nothing that would change what runs is
//! ever read and then ignored. (Fields that [`crate::api`] does not even know never come here: the server refuses a
//! request of which it would lose something.)

use crate::api::{ContainerConfig, CreateRequest, HostConfig};
use crate::{Error, Kind, Result};

/// Refuses a request that asks for what is not there.
///
/// # Errors
/// [`Kind::NotImplemented`], naming the option as the user knows it.
pub(crate) fn refuse(request: &CreateRequest) -> Result<()> {
    namespaces(&request.host_config)?;
    if request.config.healthcheck.as_ref().is_some_and(|check| check.test.as_deref() != Some(&["NONE".to_owned()])) {
        return not_yet("health checks (--health-cmd and its like)");
    }
    if !request.host_config.cgroup_parent.is_empty() {
        return not_yet("--cgroup-parent");
    }
    Ok(())
}

/// What an image declares and Kesako does not act on: the container runs all the same, and the user is told.
pub(crate) fn notes_on_image(image: &ContainerConfig) -> Vec<String> {
    let mut notes = Vec::new();
    let checks = image.healthcheck.as_ref().and_then(|check| check.test.as_ref());
    if checks.is_some_and(|test| !test.is_empty() && test[0] != "NONE") {
        notes.push("The image has a health check; Kesako does not run health checks yet.".to_owned());
    }
    notes
}

fn not_yet<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(Error::new(Kind::NotImplemented, format!("Kesako does not have {what} yet")))
}

fn namespaces(host: &HostConfig) -> Result<()> {
    for (flag, mode) in [("--ipc", &host.ipc_mode), ("--pid", &host.pid_mode)] {
        if mode.starts_with("container:") {
            return not_yet(format_args!("{flag} {mode}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refusal(request: Value) -> String {
        let request: CreateRequest = serde_json::from_value(request).unwrap();
        refuse(&request).map_or_else(|e| format!("{:?}: {e}", e.kind), |()| "accepted".to_owned())
    }

    /// What the docker client sends for a plain `docker create workbench`, shortened to its kinds of nothing.
    #[test]
    fn all_the_nothing_that_clients_send_is_no_wish() {
        let request = json!({
            "Image": "workbench", "ExposedPorts": {"80/tcp": {}}, "Volumes": {}, "Healthcheck": null,
            "HostConfig": {"Binds": null, "PortBindings": {}, "NetworkMode": "default", "IpcMode": "", "Mounts": []},
            "NetworkingConfig": {"EndpointsConfig": {"default": {"IPAMConfig": null, "Aliases": null, "GwPriority": 0}}}
        });
        assert_eq!(refusal(request), "accepted");
    }

    #[test]
    fn a_wish_that_cannot_be_met_is_named() {
        let refusals =
            [json!({"HostConfig": {"PidMode": "container:x"}}), json!({"Healthcheck": {"Test": ["CMD", "true"]}})]
                .map(refusal);
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        NotImplemented: Kesako does not have --pid container:x yet
        NotImplemented: Kesako does not have health checks (--health-cmd and its like) yet
        "#);
    }
}

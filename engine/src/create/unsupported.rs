//! What Docker has and Kesako does not, or not yet: said at create, clearly. Nothing that would change what runs is
//! ever read and then ignored. (Fields that [`crate::api`] does not even know never come here: the server refuses a
//! request of which it would lose something.)

use crate::api::{CreateRequest, HostConfig};
use crate::{Error, Kind, Result};

/// Refuses a request that asks for what is not there.
///
/// # Errors
/// [`Kind::NotImplemented`], naming the option as the user knows it.
pub(crate) fn refuse(request: &CreateRequest) -> Result<()> {
    namespaces(&request.host_config)?;
    if !request.host_config.cgroup_parent.is_empty() {
        return not_yet("--cgroup-parent");
    }
    Ok(())
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
            [json!({"HostConfig": {"PidMode": "container:x"}}), json!({"HostConfig": {"CgroupParent": "/x"}})];
        insta::assert_snapshot!(refusals.map(refusal).join("\n"), @r"
        NotImplemented: Kesako does not have --pid container:x yet
        NotImplemented: Kesako does not have --cgroup-parent yet
        ");
    }
}

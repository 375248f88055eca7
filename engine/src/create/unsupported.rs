//! What Docker has and Kesako does not, or not yet: said at create, clearly. Nothing that would change what runs is
//! ever read and then ignored. (Fields that [`crate::api`] does not even know never come here: the server refuses a
//! request of which it would lose something.)

use crate::api::{ContainerConfig, CreateRequest, HostConfig};
use crate::{Error, Kind, Result};
use serde_json::Value;

/// Refuses a request that asks for what is not there.
///
/// # Errors
/// [`Kind::NotImplemented`], naming the option as the user knows it.
pub(crate) fn refuse(request: &CreateRequest) -> Result<()> {
    networks(request)?;
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

fn networks(request: &CreateRequest) -> Result<()> {
    let host = &request.host_config;
    if let Some(port) = host.port_bindings.iter().flatten().map(|(port, _)| port).next() {
        return not_yet(format_args!("published ports (-p, for {port})"));
    }
    if host.publish_all_ports {
        return not_yet("published ports (-P)");
    }
    match host.network_mode.as_str() {
        "" | "default" | "none" | "host" => {}
        "bridge" => return not_yet("the network \"bridge\", only --network none and --network host,"),
        mode if mode.starts_with("container:") => return not_yet(format_args!("--network {mode}")),
        // (404 would make clients pull the image: they take it that this is what was not found.)
        name => return Err(Error::new(Kind::Invalid, format!("network {name} not found"))),
    }
    if host.extra_hosts.iter().flatten().any(|entry| entry.ends_with("host-gateway")) {
        return not_yet("host-gateway in --add-host");
    }
    endpoints(request)
}

/// `NetworkingConfig.EndpointsConfig`: clients name the network of the network mode there once more. An address, an
/// alias or a second network is something else.
fn endpoints(request: &CreateRequest) -> Result<()> {
    let configs = request.networking_config.as_ref().and_then(|config| config.get("EndpointsConfig"));
    let Some(Value::Object(endpoints)) = configs else { return Ok(()) };
    for (network, settings) in endpoints {
        if !matches!(network.as_str(), "default" | "none" | "host") {
            return Err(Error::new(Kind::Invalid, format!("network {network} not found")));
        }
        let Value::Object(settings) = settings else { continue };
        if let Some((field, _)) = settings.iter().find(|(_, value)| !is_neutral(value)) {
            return not_yet(format_args!("settings of a network endpoint ({field})"));
        }
    }
    Ok(())
}

fn namespaces(host: &HostConfig) -> Result<()> {
    for (flag, mode) in [("--ipc", &host.ipc_mode), ("--pid", &host.pid_mode)] {
        if mode.starts_with("container:") {
            return not_yet(format_args!("{flag} {mode}"));
        }
    }
    Ok(())
}

/// Whether a value says nothing: null, zero, no, empty, or made of such only.
fn is_neutral(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(is_neutral),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        let refusals = [
            json!({"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}}),
            json!({"HostConfig": {"NetworkMode": "web"}}),
            json!({"HostConfig": {"NetworkMode": "container:x"}}),
            json!({"HostConfig": {"PidMode": "container:x"}}),
            json!({"NetworkingConfig": {"EndpointsConfig": {"default": {"Aliases": ["db"]}}}}),
            json!({"Healthcheck": {"Test": ["CMD", "true"]}}),
        ]
        .map(refusal);
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        NotImplemented: Kesako does not have published ports (-p, for 80/tcp) yet
        Invalid: network web not found
        NotImplemented: Kesako does not have --network container:x yet
        NotImplemented: Kesako does not have --pid container:x yet
        NotImplemented: Kesako does not have settings of a network endpoint (Aliases) yet
        NotImplemented: Kesako does not have health checks (--health-cmd and its like) yet
        "#);
    }
}

//! `POST /containers/create`, and what must not be lost on its way to the engine.
//!
//! A request can ask for more than the engine's types have fields for. Reading it would drop such a field silently, and
//! the container would run without the limit, mount or device that its user asked for. So the request is compared with
//! what was understood of it, and what is missing there is refused by name. An unset field (Go sends them all: null,
//! `false`, 0, empty) asks for nothing.

use super::blocking::blocking;
use super::params::Params;
use super::{Answer, Refusal, Shared, answer};
use crate::json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use engine::Engine;
use engine::api::CreateRequest;
use http::{HeaderMap, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::Arc;

/// Fields that change nothing of what runs, with the value for which that is so (None: any).
const HARMLESS: [(&str, Option<&str>); 5] = [
    ("HostConfig.MemorySwappiness", Some("-1")), // the kernel's default
    ("HostConfig.Isolation", Some("\"default\"")),
    ("ArgsEscaped", None), // Windows
    ("Detach", None),      // of an exec: repeated in its start, where it counts
    ("Container", None),   // of an exec, by docker-py: repeated from its address
];

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/containers/create", post(create))
}

async fn create(State(engine): Shared, params: Params, headers: HeaderMap, body: Bytes) -> Answer {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next() != Some("application/json") {
        return Err(Refusal::invalid(format!("Content-Type specified ({content_type}) must be 'application/json'")));
    }
    let mut asked: Value = json::decode(&body).map_err(invalid)?;
    settle_mac_address(&mut asked)?;
    let request: CreateRequest = understood(asked)?;
    engine::refuse_platform(params.text("platform").unwrap_or_default())?;
    let name = params.text("name").map(str::to_owned);
    answer::created(&blocking(move || engine.create(name.as_deref(), request)).await?)
}

/// Decodes a request, and refuses it if anything it asks for was lost.
pub(super) fn understand<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<T, Refusal> {
    understood(json::decode(body).map_err(invalid)?)
}

fn understood<T: DeserializeOwned + Serialize>(asked: Value) -> Result<T, Refusal> {
    let request: T = serde_json::from_value(asked.clone()).map_err(invalid)?;
    let understood = serde_json::to_value(&request).map_err(invalid)?;
    match lost(&asked, &understood, "") {
        Some(field) => Err(Refusal::not_implemented(format!("{field} is not supported"))),
        None => Ok(request),
    }
}

fn invalid(error: serde_json::Error) -> Refusal {
    Refusal::invalid(format!("invalid JSON: {error}"))
}

/// Until API 1.44 a container had one MAC address, as docker-compose still gives it: it is that of its first network.
fn settle_mac_address(asked: &mut Value) -> Result<(), Refusal> {
    let Some(address) = asked.get("MacAddress").filter(|address| !is_unset(address)).cloned() else { return Ok(()) };
    let mode = asked["HostConfig"]["NetworkMode"].as_str().filter(|mode| !mode.is_empty());
    let mode = mode.unwrap_or("default").to_owned();
    if matches!(mode.as_str(), "host" | "none") || mode.starts_with("container:") {
        return Err(Refusal::invalid("conflicting options: mac-address and the network mode"));
    }
    let path = ["NetworkingConfig", "EndpointsConfig", &mode, "MacAddress"];
    let Some(there) = path.iter().try_fold(&mut *asked, |value, key| entry(value, key)) else {
        return Err(Refusal::invalid("invalid JSON: NetworkingConfig is no object"));
    };
    if !is_unset(there) && *there != address {
        return Err(Refusal::invalid(
            "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
        ));
    }
    *there = address;
    asked["MacAddress"] = Value::Null;
    Ok(())
}

/// A field of an object, or of nothing yet.
fn entry<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    if value.is_null() {
        *value = Value::Object(serde_json::Map::new());
    }
    Some(value.as_object_mut()?.entry(key).or_insert(Value::Null))
}

/// The path of a field of `asked` that asks for something, and is not in `understood`.
fn lost(asked: &Value, understood: &Value, path: &str) -> Option<String> {
    match (asked, understood) {
        (Value::Object(asked), Value::Object(understood)) => asked.iter().find_map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match understood.get(name) {
                Some(found) => lost(value, found, &path),
                None if is_unset(value) || is_harmless(&path, value) => None,
                None => Some(path),
            }
        }),
        (Value::Array(asked), Value::Array(understood)) => {
            asked.iter().zip(understood).find_map(|(asked, understood)| lost(asked, understood, path))
        }
        _ => None,
    }
}

/// Whether Go would call this a zero value, all the way down.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_unset),
    }
}

fn is_harmless(path: &str, value: &Value) -> bool {
    let text = value.to_string();
    HARMLESS.iter().any(|(name, only)| *name == path && only.is_none_or(|only| only == text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::api::ExecConfig;

    fn refusal(body: &str) -> String {
        understand::<CreateRequest>(body.as_bytes()).unwrap_err().message
    }

    #[test]
    fn what_docker_run_sends_is_understood() {
        // As docker 28 sends it, with fields of its own version that ask for nothing.
        let body = r#"{"Hostname":"","User":"","ExposedPorts":{},"Env":null,"Cmd":["true"],"Image":"workbench","Volumes":{},
            "Labels":{},"HostConfig":{"Binds":null,"LogConfig":{"Type":"","Config":{}},"NetworkMode":"default",
            "RestartPolicy":{"Name":"no","MaximumRetryCount":0},"VolumeDriver":"","VolumesFrom":null,"ConsoleSize":[24,80],
            "CgroupnsMode":"","Links":null,"Isolation":"","BlkioWeight":0,"BlkioWeightDevice":[],"DeviceRequests":null,
            "MemorySwappiness":-1,"OomKillDisable":false,"IOMaximumIOps":0},
            "NetworkingConfig":{"EndpointsConfig":{"default":{"IPAMConfig":null,"Links":null,"MacAddress":"","GwPriority":0}}}}"#;
        let request: CreateRequest = understand(body.as_bytes()).unwrap();
        assert_eq!(request.host_config.console_size, [24, 80]);
    }

    #[test]
    fn what_would_be_lost_is_refused_by_name() {
        assert_eq!(refusal(r#"{"HostConfig":{"BlkioWeight":300}}"#), "HostConfig.BlkioWeight is not supported");
        assert_eq!(
            refusal(r#"{"HostConfig":{"MemorySwappiness":60}}"#),
            "HostConfig.MemorySwappiness is not supported"
        );
        assert_eq!(
            refusal(r#"{"HostConfig":{"Mounts":[{"Type":"image","ImageOptions":{"Subpath":"etc"}}]}}"#),
            "HostConfig.Mounts.ImageOptions is not supported"
        );
        assert_eq!(refusal(r#"{"StopWell":"always"}"#), "StopWell is not supported");
    }

    #[test]
    fn the_mac_address_of_old_is_that_of_the_first_network() {
        let mut asked = serde_json::json!({"MacAddress": "02:42:ac:11:00:02", "HostConfig": {"NetworkMode": "back"}});
        settle_mac_address(&mut asked).unwrap();
        let request: CreateRequest = understood(asked.clone()).unwrap();
        assert_eq!(request.networking_config.unwrap().endpoints_config["back"].mac_address, "02:42:ac:11:00:02");
        asked["MacAddress"] = "02:42:ac:11:00:03".into();
        assert!(settle_mac_address(&mut asked).unwrap_err().message.contains("must match"));
        asked["NetworkingConfig"] = "nonsense".into();
        assert!(settle_mac_address(&mut asked).unwrap_err().message.contains("no object"));
        asked["HostConfig"]["NetworkMode"] = "host".into();
        assert!(settle_mac_address(&mut asked).unwrap_err().message.contains("conflicting options"));
    }

    #[test]
    fn what_an_exec_says_twice_counts_once() {
        assert!(understand::<ExecConfig>(br#"{"Cmd":["ls"],"Detach":true,"Container":"web"}"#).is_ok());
    }
}

//! JSON as Go writes and reads it, which is what the Engine API's JSON is.
//!
//! To Go, `"Labels": null` and no `Labels` at all are the same empty map, and clients in Go send the first wherever a
//! map, list or pointer was left unset. To serde a null is no map. So nulls are taken out before anything is decoded.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Decodes what a Go program wrote. An empty body counts as `{}`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let mut value = match bytes.trim_ascii() {
        [] => Value::Object(serde_json::Map::new()),
        bytes => serde_json::from_slice(bytes)?,
    };
    drop_nulls(&mut value);
    serde_json::from_value(value)
}

/// Removes fields that are null, at any depth, but keeps the keys of the two maps whose null has a meaning: an exposed
/// port that is not published.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            for (name, value) in fields {
                if !matches!(name.as_str(), "Ports" | "PortBindings") {
                    drop_nulls(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::api::{ContainerConfig, CreateRequest, NetworkSettings};

    #[test]
    fn null_is_the_empty_map_as_in_go() {
        let config: ContainerConfig = decode(br#"{"Labels":null,"Env":null,"Hostname":null,"Tty":true}"#).unwrap();
        assert_eq!(config, ContainerConfig { tty: true, ..Default::default() });
        let request: CreateRequest = decode(br#"{"Labels":null,"HostConfig":{"LogConfig":{"Config":null}}}"#).unwrap();
        assert!(request.host_config.log_config.config.is_empty());
    }

    #[test]
    fn an_exposed_port_that_is_not_published_stays() {
        let settings: NetworkSettings = decode(br#"{"Ports":{"80/tcp":null}}"#).unwrap();
        assert_eq!(settings.ports.get("80/tcp"), Some(&None));
    }

    #[test]
    fn no_body_is_an_empty_object() {
        assert_eq!(decode::<ContainerConfig>(b" \n").unwrap(), ContainerConfig::default());
    }
}

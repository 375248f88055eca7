//! Routes of Docker's that Kesako does not have yet: said plainly, instead of "page not found", which clients take for a
//! daemon too old. And the lists that clients ask for on their way to something else, which are short but true.

use super::{Answer, Refusal, answer};
use axum::Router;
use axum::routing::{any, get};
use engine::Engine;
use serde_json::{Value, json};
use std::sync::Arc;

/// What each path is for.
const ABSENT: [(&str, &str); 12] = [
    ("/auth", "registries"),
    ("/containers/{id}/archive", "copying files"),
    ("/containers/{id}/attach/ws", "attaching through a web socket"),
    ("/containers/{id}/stats", "statistics"),
    ("/containers/{id}/update", "changing the limits of a container"),
    ("/distribution/{*name}", "registries"),
    ("/images/search", "registries"),
    ("/networks/create", "networks"),
    ("/plugins", "plugins"),
    ("/session", "building images by BuildKit"),
    ("/swarm", "swarm mode"),
    ("/system/df", "counting disk usage"),
];

pub(super) fn routes() -> Router<Arc<Engine>> {
    let lists = Router::new().route("/networks", get(networks));
    ABSENT.into_iter().fold(lists, |routes, (path, what)| {
        let refuse = move || async move { Refusal::not_implemented(format!("{what}: not supported yet")) };
        routes.route(path, any(refuse))
    })
}

/// The two networks that need no making.
async fn networks() -> Answer {
    let network = |name: &str, driver: &str| {
        json!({
            "Name": name, "Id": name, "Created": "0001-01-01T00:00:00Z", "Scope": "local", "Driver": driver,
            "EnableIPv6": false, "IPAM": {"Driver": "default", "Options": null, "Config": []}, "Internal": false,
            "Attachable": false, "Ingress": false, "ConfigFrom": {"Network": ""}, "ConfigOnly": false,
            "Containers": {}, "Options": {}, "Labels": {},
        })
    };
    answer::json(&Value::from(vec![network("host", "host"), network("none", "null")]))
}

//! Routes of Docker's that Kesako does not have yet: said plainly, instead of "page not found", which clients take for a
//! daemon too old.

use super::Refusal;
use axum::Router;
use axum::routing::any;
use engine::Engine;
use std::sync::Arc;

/// What each path is for.
const ABSENT: [(&str, &str); 6] = [
    ("/containers/{id}/attach/ws", "attaching through a web socket"),
    ("/containers/{id}/update", "changing the limits of a container"),
    ("/images/search", "searching registries, whose protocol has no search"),
    ("/plugins", "plugins"),
    ("/session", "building images by BuildKit"),
    ("/swarm", "swarm mode"),
];

pub(super) fn routes() -> Router<Arc<Engine>> {
    ABSENT.into_iter().fold(Router::new(), |routes, (path, what)| {
        let refuse = move || async move { Refusal::not_implemented(format!("{what}: not supported yet")) };
        routes.route(path, any(refuse))
    })
}

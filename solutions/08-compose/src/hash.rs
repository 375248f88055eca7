//! What a service is, in one number: a container remembers it, and as long as it is the same, the container stays.

use crate::render::{For, escaped, render};
use crate::service::SERVICE;
use crate::tree::Node;
use sha2::{Digest, Sha256};

/// The SHA-256 of a service's JSON, without what does not make its containers other ones: how its image is built or fetched, how
/// many of them there are, whom it waits for, and under which profiles it runs (docker compose, `ServiceHash`).
pub fn config_hash(service: &Node) -> String {
    let mut service = service.clone();
    if let Some(map) = service.map_mut() {
        for key in ["build", "pull_policy", "scale", "depends_on", "profiles"] {
            map.remove(key);
        }
        if let Some(deploy) = map.get_mut("deploy").and_then(Node::map_mut) {
            deploy.remove("replicas");
        }
    }
    let json = render(&service, &SERVICE, For::Json).to_string();
    let digest = Sha256::digest(escaped(&json).as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

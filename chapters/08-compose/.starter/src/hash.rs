//! What a service is, in one number: a container remembers it, and as long as it is the same, the container stays.

use crate::render::{For, escaped, render};
use crate::resources::{NETWORK, VOLUME};
use crate::schema::Shape::{self, Fields};
use crate::service::SERVICE;
use crate::tree::Node;
use sha2::{Digest, Sha256};

/// The hash [`of`] a service (its shape is [`SERVICE`]), without what does not make its containers other ones (docker compose, `ServiceHash`): how its image is
/// built or fetched (`build`, `pull_policy`), how many of them there are (`scale`, and `replicas` in `deploy`), whom it waits for
/// (`depends_on`), and under which `profiles` it runs.
pub fn config_hash(service: &Node) -> String {
    // exercise: 8.5 config_hash: a number that changes if and only if the containers have to
    todo!("exercise 8.5, config_hash: a number that changes if and only if the containers have to")
    // end exercise
}

/// The same of a network (docker compose, `NetworkHash`).
pub fn network_hash(network: &Node) -> String {
    of(network, &Fields(NETWORK))
}

/// The same of a volume, whose driver is `local` unless it says another (docker compose, `VolumeHash`).
pub fn volume_hash(volume: &Node) -> String {
    let mut volume = volume.clone();
    let local = Node::of_text(&volume.at, "local");
    if let Some(map) = volume.map_mut() {
        map.set_default("driver", local);
    }
    of(&volume, &Fields(VOLUME))
}

/// The SHA-256 of its JSON, in hexadecimal digits; and of the JSON as Go writes it, so that docker compose has the same.
fn of(node: &Node, shape: &Shape) -> String {
    let json = render(node, shape, For::Json).to_string();
    let digest = Sha256::digest(escaped(&json).as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

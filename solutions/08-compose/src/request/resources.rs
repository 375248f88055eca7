//! Networks and volumes.

use super::some_map;
use crate::labels::{COMPOSE, CONFIG_HASH, NETWORK, PROJECT, VERSION, VOLUME};
use crate::model::{Model, Pool};
use engine::api::{Ipam, IpamConfig, NetworkCreate, VolumeCreate};
use std::collections::BTreeMap;

/// A network; None of one that is not the project's, or that there is not.
#[must_use]
pub fn network(model: &Model, key: &str) -> Option<NetworkCreate> {
    let network = model.networks.get(key).filter(|network| !network.external)?;
    let pool = |pool: &Pool| IpamConfig {
        subnet: pool.subnet.clone(),
        ip_range: pool.ip_range.clone(),
        gateway: pool.gateway.clone(),
        auxiliary_addresses: pool.aux_addresses.clone(),
    };
    let said = !network.ipam.driver.is_empty() || !network.ipam.config.is_empty() || !network.ipam.options.is_empty();
    let ipam = said.then(|| Ipam {
        driver: network.ipam.driver.clone(),
        options: some_map(network.ipam.options.clone()),
        config: network.ipam.config.iter().map(pool).collect(),
    });
    Some(NetworkCreate {
        name: network.name.clone(),
        // Docker's engine made a second network of the same name, before version 25.
        check_duplicate: true,
        driver: network.driver.clone(),
        options: network.driver_opts.clone(),
        internal: network.internal,
        attachable: network.attachable,
        enable_ipv4: network.enable_ipv4,
        enable_ipv6: network.enable_ipv6,
        ipam,
        labels: marked(model, &network.labels, NETWORK, key, &network.hash),
        ..NetworkCreate::default()
    })
}

/// A volume; None of one that is not the project's, or that there is not.
#[must_use]
pub fn volume(model: &Model, key: &str) -> Option<VolumeCreate> {
    let volume = model.volumes.get(key).filter(|volume| !volume.external)?;
    Some(VolumeCreate {
        name: volume.name.clone(),
        driver: volume.driver.clone(),
        driver_opts: some_map(volume.driver_opts.clone()),
        labels: Some(marked(model, &volume.labels, VOLUME, key, &volume.hash)),
    })
}

/// The labels of the file, and docker compose's over them.
fn marked(
    model: &Model,
    own: &BTreeMap<String, String>,
    kind: &str,
    key: &str,
    hash: &str,
) -> BTreeMap<String, String> {
    let ours = [(kind, key), (PROJECT, &model.name), (VERSION, COMPOSE), (CONFIG_HASH, hash)];
    let ours = ours.into_iter().map(|(label, value)| (label.to_owned(), value.to_owned()));
    own.clone().into_iter().chain(ours).collect()
}

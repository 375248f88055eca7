//! What the engine is asked for.

use super::folder::Folder;
use crate::compose::model::Model;
use crate::compose::request::{Container, Image, Run, Wanted, container, network, volume};
use crate::compose::schema::Shape;
use engine::api::MountPoint;
use std::collections::BTreeMap;

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What is under the test: one service of a file, on an engine of today.
struct Asked {
    folder: Folder,
    model: Model,
}

impl Asked {
    fn of(text: &str) -> Self {
        Self::in_folder(Folder::of(text))
    }

    fn in_folder(folder: Folder) -> Self {
        let mut model = folder.project().model().unwrap_or_else(|error| panic!("{error}"));
        model.services.values_mut().for_each(|service| service.hash = HASH.to_owned());
        Self { folder, model }
    }

    fn wanted<'a>(&'a self, others: &'a BTreeMap<String, Vec<String>>) -> Wanted<'a> {
        Wanted {
            model: &self.model,
            service: &self.model.services["web"],
            name: "shop-web-1",
            number: Some(1),
            run: None,
            image: Image { id: "sha256:1", volumes: &[] },
            api: (1, 44),
            others,
            inherit: &[],
            replaces: false,
        }
    }

    fn container(&self) -> Container {
        container(&self.wanted(&BTreeMap::new())).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The request, as JSON without what asks for nothing.
    fn told(&self, container: &Container) -> String {
        let mut value = serde_json::to_value(&container.create).unwrap();
        assert!(!is_nothing(&mut value));
        self.folder.told(&serde_json::to_string_pretty(&value).unwrap())
    }
}

/// Takes away what asks for nothing; whether nothing is left.
fn is_nothing(value: &mut serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null => true,
        Value::Bool(flag) => !*flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => {
            for value in list.iter_mut() {
                is_nothing(value);
            }
            list.is_empty()
        }
        Value::Object(map) => {
            map.retain(|key, value| !is_nothing(value) || key.contains('/'));
            map.is_empty()
        }
    }
}

#[test]
fn a_service_that_says_much() {
    let asked = Asked::in_folder(
        Folder::of(include_str!("create/rich.yaml")).with("password.txt", "secret").variables(&[("API_TOKEN", "hush")]),
    );
    let container = asked.container();
    insta::assert_snapshot!(asked.told(&container));
    assert_eq!(container.platform, "linux/amd64");
    assert!(container.connect.is_empty());
    insta::assert_debug_snapshot!(container.files, @"
    [
        /run/secrets/other (4 bytes, 0400, 7:8),
        /motd (10 bytes, 0444, 0:0),
    ]
    ");
}

#[test]
fn limits_are_said_here_or_in_deploy() {
    let said = |text: &str| {
        let asked = Asked::of(&format!("services: {{web: {{image: i, {text}}}}}\n"));
        let host = asked.container().create.host_config;
        (host.memory, host.memory_reservation, host.nano_cpus, host.pids_limit)
    };
    let limits = (1 << 30, 1 << 20, 1_500_000_000, Some(10));
    assert_eq!(said("mem_limit: 1g, mem_reservation: 1m, cpus: 1.5, pids_limit: 10"), limits);
    let deploy = "deploy: {resources: {limits: {memory: 1g, cpus: 1.5, pids: 10}, reservations: {memory: 1m}}}";
    assert_eq!(said(deploy), limits);
    assert_eq!(said(&format!("{deploy}, mem_limit: 1024m, cpus: '1.5'")), limits);
    assert_eq!(said("deploy: {resources: {limits: {cpus: 0.1}}}, mem_limit: 1g"), (1 << 30, 0, 100_000_000, None));
}

fn others(of: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let owned = |(name, containers): &(&str, &[&str])| {
        ((*name).to_owned(), containers.iter().map(|container| (*container).to_owned()).collect())
    };
    of.iter().map(owned).collect()
}

/// Docker before version 25 takes one network at create: the most important one.
#[test]
fn an_old_engine_connects_the_other_networks_afterwards() {
    let asked = Asked::of(
        "services:\n  web:\n    image: i\n    networks: {a: , z: {priority: 1}, m: }\nnetworks: {a: , m: {name: em}, z: }\n",
    );
    let none = BTreeMap::new();
    let old = container(&Wanted { api: (1, 41), ..asked.wanted(&none) }).unwrap();
    let at_create = |container: &Container| -> Vec<String> {
        container.create.networking_config.as_ref().unwrap().endpoints_config.keys().cloned().collect()
    };
    assert_eq!(old.create.host_config.network_mode, "shop_z");
    assert_eq!(at_create(&old), ["shop_z"]);
    let connected: Vec<_> = old.connect.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(connected, ["shop_a", "em"]);
    assert_eq!(old.connect[0].1.aliases.as_deref().unwrap(), ["shop-web-1", "web"]);
    let new = asked.container();
    assert_eq!(at_create(&new), ["em", "shop_a", "shop_z"]);
    assert!(new.connect.is_empty());
}

#[test]
fn what_is_shared_with_another_service_is_shared_with_its_first_container() {
    let asked = Asked::of(
        "services:\n  web: {image: i, network_mode: 'service:db', ipc: 'service:db', pid: 'service:db', links: [],\n    \
         volumes_from: ['db:ro', 'container:old'], external_links: [other, 'another:too']}\n  db: {image: i}\n",
    );
    let there = others(&[("db", &["shop-db-1", "shop-db-2"])]);
    let container = container(&asked.wanted(&there)).unwrap();
    let host = &container.create.host_config;
    let modes = [&host.network_mode, &host.ipc_mode, &host.pid_mode];
    assert_eq!(modes, ["container:shop-db-1"; 3]);
    assert_eq!(host.volumes_from.as_deref().unwrap(), ["shop-db-1:ro", "old"]);
    assert_eq!(host.links.as_deref().unwrap(), ["other:other", "another:too"]);
    assert!(container.create.networking_config.is_none());
    let missing = crate::compose::request::container(&asked.wanted(&BTreeMap::new())).unwrap_err();
    assert_eq!(missing.to_string(), "cannot share network namespace with service db: container missing");
}

#[test]
fn a_linked_service_is_known_by_three_names() {
    let asked = Asked::of("services:\n  web: {image: i, links: ['db:store']}\n  db: {image: i}\n");
    let there = others(&[("db", &["shop-db-1"])]);
    let container = container(&asked.wanted(&there)).unwrap();
    let links = ["shop-db-1:store", "shop-db-1:db-1", "shop-db-1:shop-db-1"];
    assert_eq!(container.create.host_config.links.as_deref().unwrap(), links);
    let endpoints = &container.create.networking_config.as_ref().unwrap().endpoints_config;
    assert_eq!(endpoints["shop_default"].links.as_deref().unwrap(), links);
}

/// What the file names keeps its place; what has no name lives on in the next container; the rest is the old one's.
#[test]
fn volumes_without_a_name_are_inherited() {
    let asked = Asked::of(
        "services:\n  web: {image: i, volumes: [/mine, 'data:/data', './src:/both'], tmpfs: /tmp}\nvolumes: {data: }\n",
    );
    let mount = |kind: &str, name: &str, destination: &str| MountPoint {
        r#type: kind.to_owned(),
        name: name.to_owned(),
        destination: destination.to_owned(),
        rw: true,
        ..MountPoint::default()
    };
    let old = [
        mount("volume", "1111", "/mine"),
        mount("volume", "2222", "/image"),
        mount("volume", "shop_data", "/data"),
        mount("volume", "3333", "/both"),
        mount("volume", "4444", "/neither"),
        mount("tmpfs", "", "/image-tmpfs"),
    ];
    let image = ["/image".to_owned(), "/both".to_owned(), "/image-tmpfs".to_owned()];
    let none = BTreeMap::new();
    let wanted = asked.wanted(&none);
    let wanted = Wanted { image: Image { volumes: &image, ..wanted.image }, inherit: &old, replaces: true, ..wanted };
    let container = container(&wanted).unwrap();
    let host = &container.create.host_config;
    let mounts: Vec<_> = host.mounts.iter().flatten().map(|mount| (&*mount.source, &*mount.target)).collect();
    assert_eq!(mounts, [("1111", "/mine"), ("2222", "/image")]);
    let binds: Vec<_> = host.binds.iter().flatten().map(|bind| asked.folder.told(bind)).collect();
    assert_eq!(binds, ["shop_data:/data:rw", "/shop/src:/both:rw"]);
    assert_eq!(container.create.config.labels["com.docker.compose.replace"], "web-1");
}

#[test]
fn what_run_starts_is_marked_and_answers_to_no_name() {
    let mut asked = Asked::of("services:\n  web: {image: i, restart: always, tty: true, ports: ['80:80']}\n");
    asked.model.services.get_mut("web").unwrap().stdin_open = true;
    let none = BTreeMap::new();
    let run = Run { slug: "5afe", auto_remove: true, interactive: true, use_aliases: false };
    let wanted = Wanted { name: "shop-web-run-5afe", number: None, run: Some(run), ..asked.wanted(&none) };
    let container = container(&wanted).unwrap();
    let labels = &container.create.config.labels;
    assert_eq!(labels["com.docker.compose.oneoff"], "True");
    assert_eq!(labels["com.docker.compose.slug"], "5afe");
    assert!(!labels.contains_key("com.docker.compose.container-number"));
    let endpoints = &container.create.networking_config.as_ref().unwrap().endpoints_config;
    assert_eq!(endpoints["shop_default"].aliases.as_deref().unwrap(), ["shop-web-run-5afe"]);
    assert!(container.create.host_config.auto_remove && container.create.config.stdin_once);
    assert_eq!(container.create.host_config.restart_policy.name, "");
}

#[test]
fn networks_and_volumes() {
    let asked = Asked::of(
        "services: {web: {image: i, networks: [front, back], volumes: ['data:/d', 'old:/o']}}\n\
         networks:\n  back: {external: true, name: elsewhere}\n  front:\n    driver: bridge\n    driver_opts: {o: 1}\n    \
         internal: true\n    attachable: true\n    enable_ipv6: true\n    labels: {a: b, com.docker.compose.project: x}\n    \
         ipam:\n      config: [{subnet: 10.9.0.0/16, ip_range: 10.9.1.0/24, gateway: 10.9.0.1, aux_addresses: {h: 10.9.0.2}}]\n\
         volumes:\n  old: {external: true}\n  data: {driver_opts: {type: tmpfs}, labels: [c=d]}\n",
    );
    assert!(network(&asked.model, "back").is_none() && volume(&asked.model, "old").is_none());
    let network = network(&asked.model, "front").unwrap();
    let volume = volume(&asked.model, "data").unwrap();
    insta::assert_json_snapshot!((network, volume));
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |text: &str| {
        let asked = Asked::of(text);
        let refusal = container(&Wanted { api: (1, 41), ..asked.wanted(&BTreeMap::new()) });
        refusal.map_or_else(|error| asked.folder.told(&error.to_string()), |_| "accepted".to_owned())
    };
    let of_service = |text: &str| refused(&format!("services: {{web: {{image: i, {text}}}}}\n"));
    insta::assert_snapshot!([
        of_service("security_opt: ['seccomp=./missing.json']"),
        of_service("mac_address: '02:42:ac:11:00:02'"),
        refused("services: {web: {image: i, secrets: [s]}}\nsecrets: {s: {environment: NOWHERE}}"),
        refused("services: {web: {image: i, secrets: [s]}}\nsecrets: {s: {external: true}}"),
    ].join("\n"), @r#"
    opening seccomp profile (./missing.json) failed: open /shop/missing.json: no such file or directory
    mac_address requires Docker Engine v25.0 or later
    environment variable "NOWHERE" required by secret "shop_s" is not set
    unsupported external secret s
    "#);
}

/// What is in a file and has no place in the types would be lost; each key of the table has one.
#[test]
fn the_types_have_a_place_for_all_that_a_file_may_say() {
    let mut folder = Folder::of(include_str!("create/everything.yaml"));
    folder.how.resolve_environment = false;
    folder.how.check = false;
    folder.request.profiles = vec!["p".to_owned()];
    let folder = folder.with("a.env", "").with("a.labels", "");
    let project = folder.project();
    project.model().unwrap_or_else(|error| panic!("{error}"));
    // And the file has each key.
    let value = project.value();
    missing(&crate::compose::FILE, &value, "", &["version", "include", "extends", "single"]);
}

/// Fails with a key of the table that the value has not.
fn missing(shape: &Shape, value: &serde_json::Value, path: &str, but: &[&str]) {
    match shape {
        Shape::Short(_, inner) | Shape::Listed(inner, _) | Shape::Named(inner) => match value {
            serde_json::Value::Array(list) => list.iter().for_each(|value| missing(inner, value, path, but)),
            serde_json::Value::Object(map) if matches!(shape, Shape::Named(_)) => {
                map.values().for_each(|value| missing(inner, value, path, but));
            }
            value => missing(inner, value, path, but),
        },
        Shape::Fields(fields) | Shape::SameOnly(_, fields) => {
            for field in fields.iter().filter(|field| !matches!(field.shape, Shape::Unsupported)) {
                let path = format!("{path}.{}", field.key);
                match value.get(field.key) {
                    Some(value) => missing(&field.shape, value, &path, but),
                    None => assert!(but.contains(&field.key), "{path}"),
                }
            }
        }
        _ => {}
    }
}

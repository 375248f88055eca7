//! What every key may say, and what yet cannot be: told before anything is made.

use super::folder::Folder;
use crate::compose::{Error, Project};

fn refused(text: &str) -> String {
    Folder::of(text).refused()
}

/// A service `web` with an image, of which the fourth line is this.
fn line(text: &str) -> String {
    refused(&format!("services:\n  web:\n    image: i\n    {text}\n"))
}

#[test]
fn values_that_the_engine_would_refuse() {
    let all = [
        "restart: sometimes",
        "restart: 'on-failure:often'",
        "restart: 'always:3'",
        "pull_policy: perhaps",
        "pull_policy: every_so_often",
        "dns: [one.one.one.one]",
        "expose: ['80-70']",
        "expose: ['80/xyz']",
        "security_opt: [label]",
        "mac_address: '02:42'",
        "networks: {default: {ipv4_address: 10.1.2}}",
        "networks: {default: {ipv6_address: 10.1.2.3}}",
        "networks: {default: {link_local_ips: [169.254.0.1]}}",
        "ports: [{target: 80, published: 80-70}]",
        "ports: [{target: -1}]",
        "ports: [{target: 80, protocol: xyz}]",
        "devices: ['vendor.com/class=name']",
        "volumes: [{type: npipe, source: a, target: /b}]",
        "healthcheck: {start_interval: 1s}",
        "stop_grace_period: -1s",
        "scale: 1000000",
    ];
    insta::assert_snapshot!(all.map(line).join("\n"), @r#"
    /shop/compose.yaml:4: services.web.restart: invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'
    /shop/compose.yaml:4: services.web.restart: invalid restart policy: maximum retry count must be an integer
    /shop/compose.yaml:4: services.web.restart: invalid restart policy: maximum retry count can only be used with 'on-failure'
    /shop/compose.yaml:4: services.web.pull_policy: must be one of always, missing, if_not_present, never, build, daily, weekly and every_<duration>
    /shop/compose.yaml:4: services.web.pull_policy: must be one of always, missing, if_not_present, never, build, daily, weekly and every_<duration>
    /shop/compose.yaml:4: services.web.dns[0]: invalid IP address: one.one.one.one
    /shop/compose.yaml:4: services.web.expose[0]: invalid containerPort: 80-70
    /shop/compose.yaml:4: services.web.expose[0]: invalid proto: xyz
    /shop/compose.yaml:4: services.web.security_opt[0]: invalid security-opt: "label"
    /shop/compose.yaml:4: services.web.mac_address: invalid MAC address: 02:42
    /shop/compose.yaml:4: services.web.networks.default.ipv4_address: invalid IPv4 address: 10.1.2
    /shop/compose.yaml:4: services.web.networks.default.ipv6_address: invalid IPv6 address: 10.1.2.3
    /shop/compose.yaml:4: services.web.networks.default.link_local_ips: this key of the specification is not supported
    /shop/compose.yaml:4: services.web.ports[0].published: invalid hostPort: 80-70
    /shop/compose.yaml:4: services.web.ports[0].target: invalid containerPort: -1
    /shop/compose.yaml:4: services.web.ports[0].protocol: invalid proto: xyz
    /shop/compose.yaml:4: services.web.devices[0].source: a device is a path of the host, and not "vendor.com/class=name"
    /shop/compose.yaml:4: services.web.volumes[0].type: a mount of type npipe is not supported
    /shop/compose.yaml:4: services.web.healthcheck: start_interval requires start_period to be set
    /shop/compose.yaml:4: services.web.stop_grace_period: invalid duration: "-1s" is less than nothing
    /shop/compose.yaml:4: services.web.scale: must be less than or equal to 65535
    "#);
    insta::assert_snapshot!(
        ["subnet: 10.1.2.3", "subnet: 10.1.0.0/33", "gateway: here", "aux_addresses: {h: x}"].map(|text| {
            refused(&format!("services: {{web: {{image: i, networks: [n]}}}}\nnetworks: {{n: {{ipam: {{config: [{{{text}}}]}}}}}}\n"))
        }).join("\n"), @"
    /shop/compose.yaml:2: networks.n.ipam.config[0].subnet: invalid subnet: 10.1.2.3; it is written as 10.1.0.0/16
    /shop/compose.yaml:2: networks.n.ipam.config[0].subnet: invalid subnet: 10.1.0.0/33; it is written as 10.1.0.0/16
    /shop/compose.yaml:2: networks.n.ipam.config[0].gateway: invalid IP address: here
    /shop/compose.yaml:2: networks.n.ipam.config[0].aux_addresses.h: invalid IP address: x
    ");
}

#[test]
fn one_port_is_one_containers() {
    let all = [
        "ports: ['80:80']\n    scale: 2",
        "ports: ['80-81:80']\n    deploy: {replicas: 3}",
        "ports: ['80:80', '80:81']",
        "ports: ['[::1]:80:80', '80:81']",
    ];
    insta::assert_snapshot!(all.map(line).join("\n"), @r#"
    /shop/compose.yaml:4: services.web.ports[0]: 2 containers cannot be published at 80: each port is one's
    /shop/compose.yaml:4: services.web.ports[0]: 3 containers cannot be published at 80-81: each port is one's
    /shop/compose.yaml:4: services.web.ports[1]: port 80 is already published by service "web", /shop/compose.yaml:4
    /shop/compose.yaml:4: services.web.ports[1]: port 80 is already published by service "web", /shop/compose.yaml:4
    "#);
    let fine = [
        "ports: ['80-81:80']\n    scale: 2",
        "ports: ['80']\n    scale: 9",
        "ports: ['80:80', '80:80/udp', '81:80']",
        "ports: ['127.0.0.1:80:80', '127.0.0.2:80:80', '[::1]:80:80']",
        "ports: ['80-81:80', '80-81:81', '80:82']",
        "ports: ['80:80']\n    scale: 0",
    ];
    for text in fine {
        Folder::of(&format!("services:\n  web:\n    image: i\n    {text}\n")).project();
    }
}

#[test]
fn one_address_and_one_name_are_one_containers() {
    let two = |a: &str, b: &str| refused(&format!("services:\n  a: {{image: i, {a}}}\n  b: {{image: i, {b}}}\n"));
    let fixed = "networks: {default: {ipv4_address: 10.1.2.3}}";
    insta::assert_snapshot!([
        two(fixed, fixed),
        two("networks: {default: {mac_address: '02:42:ac:11:00:02'}}, scale: 2", ""),
        two("container_name: shop-b-2", "scale: 2"),
    ].join("\n"), @r#"
    /shop/compose.yaml:3: services.b.networks.default.ipv4_address: address 10.1.2.3 is already that of service "a", /shop/compose.yaml:2
    /shop/compose.yaml:2: services.a.networks.default.mac_address: 2 containers cannot have the one address 02:42:ac:11:00:02
    /shop/compose.yaml:2: services.a.container_name: container name "shop-b-2" is already in use by service "b", /shop/compose.yaml:3
    "#);
    Folder::of("services:\n  a: {image: i, container_name: shop-b-2}\n  b: {image: i}\n").project();
}

#[test]
fn what_does_not_agree() {
    let all = [
        "mem_limit: 1g\n    deploy: {resources: {limits: {memory: 2g}}}",
        "cpus: 1\n    deploy: {resources: {limits: {cpus: '1.5'}}}",
        "pids_limit: 5\n    deploy: {resources: {limits: {pids: 6}}}",
        "mem_reservation: 5m\n    deploy: {resources: {reservations: {memory: 6m}}}",
        "build: {context: ., platforms: [linux/arm64]}\n    platform: linux/amd64",
        "build: {context: ., additional_contexts: {a: 'service:nobody'}}",
        "build: {context: ., additional_contexts: {a: 'service:db'}}\n  db:\n    image: i",
        "develop: {watch: [{path: ., action: sync}]}",
        "develop: {watch: [{action: rebuild}]}",
        "develop: {watch: [{path: .}]}",
    ];
    insta::assert_snapshot!(all.map(line).join("\n"), @r#"
    /shop/compose.yaml:4: services.web.mem_limit: can't set distinct values on 'mem_limit' and 'deploy.resources.limits.memory'
    /shop/compose.yaml:4: services.web.cpus: can't set distinct values on 'cpus' and 'deploy.resources.limits.cpus'
    /shop/compose.yaml:4: services.web.pids_limit: can't set distinct values on 'pids_limit' and 'deploy.resources.limits.pids'
    /shop/compose.yaml:4: services.web.mem_reservation: can't set distinct values on 'mem_reservation' and 'deploy.resources.reservations.memory'
    /shop/compose.yaml:5: services.web.platform: build.platforms must include "linux/amd64"
    /shop/compose.yaml:4: services.web.build.additional_contexts.a: unknown service "nobody"
    /shop/compose.yaml:4: services.web.build.additional_contexts.a: non-buildable service "db"
    /shop/compose.yaml:4: services.web.develop.watch[0]: target is required for sync
    /shop/compose.yaml:4: services.web.develop.watch[0].path: this is required
    /shop/compose.yaml:4: services.web.develop.watch[0].action: this is required
    "#);
}

#[test]
fn who_shares_with_a_service_that_there_is_not() {
    let all = [
        "network_mode: service:bd",
        "ipc: service:bd",
        "volumes_from: [container:x, 'bd:ro']",
        "links: ['bd:store']",
        "network_mode: service:web",
    ];
    insta::assert_snapshot!(all.map(line).join("\n"), @r#"
    /shop/compose.yaml:4: services.web.network_mode: service "web" depends on undefined service "bd"
    /shop/compose.yaml:4: services.web.ipc: service "web" depends on undefined service "bd"
    /shop/compose.yaml:4: services.web.volumes_from[1]: service "web" depends on undefined service "bd"
    /shop/compose.yaml:4: services.web.links[0]: service "web" depends on undefined service "bd"
    /shop/compose.yaml:4: services.web.depends_on.web: dependency cycle detected: web -> web
    "#);
}

/// Of `config` it is no concern: a cluster could run it.
#[test]
fn what_only_a_cluster_has_is_told_when_it_is_to_run() {
    let service = |text: &str, rest: &str| {
        let folder = Folder::of(&format!("services:\n  web:\n    image: i\n    {text}\n{rest}"));
        folder.told(&folder.project().ready().map_or_else(|error| error.to_string(), |()| "ready".to_owned()))
    };
    let given = "secrets: [{source: s, uid: me}]";
    insta::assert_snapshot!([
        service("secrets: [s]", "secrets: {s: {external: true}}\n"),
        service("secrets: [s]", "secrets:\n  s:\n    driver: vault\n"),
        service("configs: [s]", "configs: {s: {content: c, template_driver: golang}}\n"),
        service("secrets: [s]", "secrets: {s: {environment: NOWHERE}}\n"),
        service("configs: [s]\n    read_only: true", "configs: {s: {content: c}}\n"),
        service(&given.replace("secrets", "configs"), "configs: {s: {content: c}}\n"),
        service("ports: ['80:80']\n    network_mode: container:x", ""),
        service("configs: [s]\n    read_only: true", "configs: {s: {file: ./c}}\n"),
        service(given, "secrets: {s: {file: ./s}}\n"),
        service("ports: ['80:80']\n    network_mode: host", ""),
    ].join("\n"), @r#"
    /shop/compose.yaml:4: services.web.secrets[0]: unsupported external secret s
    /shop/compose.yaml:7: secrets.s.driver: secrets.*.driver is not supported: only a cluster has it
    /shop/compose.yaml:5: configs.s.template_driver: configs.*.template_driver is not supported: only a cluster has it
    /shop/compose.yaml:5: secrets.s.environment: environment variable "NOWHERE" required by secret "s" is not set
    /shop/compose.yaml:4: services.web.configs[0]: cannot create config "s" in a read-only service: `file` is the sole supported option
    /shop/compose.yaml:4: services.web.configs[0].uid: must be a number, and not "me"
    /shop/compose.yaml:4: services.web.ports: conflicting options: port publishing and the network of another (container:x)
    ready
    ready
    ready
    "#);
}

#[test]
fn another_scale_is_checked_like_that_of_the_file() {
    let of = |text: &str| Folder::of(&format!("services:\n  web:\n    image: i\n    {text}\n  db: {{image: i}}\n"));
    let scaled = |text: &str, name: &str, to: u32| -> Result<Project, String> {
        let folder = of(text);
        let mut project = folder.project();
        match project.scale(name, to) {
            Ok(()) => Ok(project),
            Err(Error::NoService(name)) => Err(format!("no service {name}")),
            Err(error) => Err(folder.told(&error.to_string())),
        }
    };
    let project = scaled("deploy: {replicas: 2}", "web", 5).unwrap();
    let web = &project.model().unwrap().services["web"];
    assert_eq!((web.scale(), web.deploy.as_ref().unwrap().replicas), (5, Some(5)));
    assert_eq!(web.hash, of("deploy: {replicas: 2}").project().hash("web").unwrap());
    assert_eq!(scaled("", "web", 0).unwrap().model().unwrap().services["web"].scale(), 0);
    let refused = |text, name, to| scaled(text, name, to).unwrap_err();
    insta::assert_snapshot!([
        refused("container_name: only", "web", 2),
        refused("ports: ['80:80']", "web", 2),
        refused("", "wbe", 2),
    ].join("\n"), @"
    /shop/compose.yaml:4: services.web.container_name: can't set container_name and scale as container name must be unique
    /shop/compose.yaml:4: services.web.ports[0]: 2 containers cannot be published at 80: each port is one's
    no service wbe
    ");
}

/// The engine refuses them, too: `tests/compose_refused.rs` holds this against it.
#[test]
fn what_kesakos_engine_has_not_is_told_with_its_place() {
    let cases = include_str!("impossible/kesako.txt");
    let told = cases.split("---\n").map(|text| {
        let folder = Folder::of(text);
        folder.told(&folder.project().suits_kesako().map_or_else(|error| error.to_string(), |()| "suits".to_owned()))
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    /shop/compose.yaml:4: services.web.annotations: Kesako does not have this
    /shop/compose.yaml:4: services.web.storage_opt: Kesako does not have this
    /shop/compose.yaml:4: services.web.mem_swappiness: Kesako does not have this
    /shop/compose.yaml:4: services.web.cpu_rt_period: Kesako does not have this
    /shop/compose.yaml:4: services.web.cpu_rt_runtime: Kesako does not have this
    /shop/compose.yaml:4: services.web.cgroup_parent: Kesako does not have this
    /shop/compose.yaml:4: services.web.ipc: Kesako does not have the IPC namespace of another container
    /shop/compose.yaml:4: services.web.pid: Kesako does not have the PID namespace of another container
    /shop/compose.yaml:4: services.web.logging.driver: Kesako does not have "syslog"
    /shop/compose.yaml:4: services.web.networks.default.interface_name: Kesako does not have this
    /shop/compose.yaml:4: services.web.networks.default.driver_opts: Kesako does not have this
    /shop/compose.yaml:4: networks.default.driver: Kesako does not have "overlay"
    /shop/compose.yaml:4: networks.default.enable_ipv4: Kesako does not have a network without IPv4
    /shop/compose.yaml:4: networks.default.ipam.driver: Kesako does not have "dhcp"
    /shop/compose.yaml:4: networks.default.ipam.options: Kesako does not have this
    /shop/compose.yaml:4: volumes.data.driver: Kesako does not have "nfs"
    "#);
    let empty = "annotations: {}, mem_swappiness: 0, cpu_rt_period: 0, cgroup_parent: '', ipc: private, networks: {default: {driver_opts: {}}}";
    Folder::of(&format!("services: {{web: {{image: i, {empty}}}}}\nnetworks: {{default: {{driver: bridge}}}}\n"))
        .project()
        .suits_kesako()
        .unwrap();
}

/// An old engine would leave it out without a word.
#[test]
fn what_an_old_engine_does_not_know() {
    let told = |text: &str, engine: (u32, u32)| {
        let folder = Folder::of(&format!("services:\n  web:\n    image: i\n    {text}\n"));
        let suits = folder.project().suits(engine);
        suits.map_err(|error| folder.told(&error.to_string())).map_or_else(|told| told, |()| "it does".to_owned())
    };
    let all = [
        "healthcheck: {test: a, start_period: 9s, start_interval: 1s}",
        "annotations: {a: b}",
        "mac_address: '02:42:00:00:00:01'",
        "networks: {default: {mac_address: '02:42:00:00:00:01'}}",
        "networks: {default: {gw_priority: 1}}",
        "networks: {default: {interface_name: e0}}",
        "volumes: [{type: bind, source: /a, target: /a, bind: {recursive: disabled}}]",
        "volumes: [{type: volume, source: a, target: /a, volume: {subpath: b}}]\nvolumes: {a: }",
        "networks: [a]\nnetworks: {a: {enable_ipv4: false}}",
        "networks: [a]\nnetworks: {a: {enable_ipv4: true}}",
    ];
    insta::assert_snapshot!(all.map(|text| told(text, (1, 41))).join("\n"), @"
    /shop/compose.yaml:4: services.web.healthcheck.start_interval: this requires API version 1.44, and the engine has 1.41
    /shop/compose.yaml:4: services.web.annotations: this requires API version 1.43, and the engine has 1.41
    /shop/compose.yaml:4: services.web.mac_address: this requires API version 1.44, and the engine has 1.41
    /shop/compose.yaml:4: services.web.networks.default.mac_address: this requires API version 1.44, and the engine has 1.41
    /shop/compose.yaml:4: services.web.networks.default.gw_priority: this requires API version 1.48, and the engine has 1.41
    /shop/compose.yaml:4: services.web.networks.default.interface_name: this requires API version 1.49, and the engine has 1.41
    /shop/compose.yaml:4: services.web.volumes[0].bind.recursive: this requires API version 1.44, and the engine has 1.41
    /shop/compose.yaml:4: services.web.volumes[0].volume.subpath: this requires API version 1.45, and the engine has 1.41
    /shop/compose.yaml:5: networks.a.enable_ipv4: this requires API version 1.47, and the engine has 1.41
    it does
    ");
    assert_eq!(all.map(|text| told(text, (1, 44))), ["it does"; 10]);
}

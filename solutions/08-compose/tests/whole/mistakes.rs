//! What people get wrong, and what they are told: the file, the line and the key.

use super::folder::Folder;

fn refused(text: &str) -> String {
    Folder::of(text).refused()
}

/// A service `web` with an image, of which the fourth line is this.
fn line(text: &str) -> String {
    refused(&format!("services:\n  web:\n    image: i\n    {text}\n"))
}

#[test]
fn keys_that_there_are_not() {
    insta::assert_snapshot!(line("prots: [80]"), @"/shop/compose.yaml:4: services.web: additional properties 'prots' not allowed; did you mean `ports`?");
    insta::assert_snapshot!(line("build: {contxt: .}"), @"/shop/compose.yaml:4: services.web.build: additional properties 'contxt' not allowed; did you mean `context`?");
    insta::assert_snapshot!(line("quux: 1"), @"/shop/compose.yaml:4: services.web: additional properties 'quux' not allowed");
    insta::assert_snapshot!(line("gpus: all"), @"/shop/compose.yaml:4: services.web.gpus: this key of the specification is not supported");
    insta::assert_snapshot!(refused("service: {}\n"), @"/shop/compose.yaml:1: additional properties 'service' not allowed; did you mean `services`?");
}

#[test]
fn values_of_another_kind() {
    let all = [
        "image: [a]",
        "privileged: maybe",
        "ports: 80",
        "ports: ['99999:80']",
        "ports: ['1-2:5-9']",
        "ports: ['80/xyz']",
        "volumes: ['a::b']",
        "volumes: ['a:b:c:d']",
        "volumes: [{type: bind, target: /x}]",
        "environment: {A: [1]}",
        "mem_limit: lots",
        "stop_grace_period: '10'",
        "healthcheck: {test: [curl, x]}",
        "command: \"echo 'a\"",
        "depends_on: {db: }",
        "depends_on: {db: {condition: service_great}}",
        "extra_hosts: [nonsense]",
        "networks: [a, a]",
        "deploy: {replicas: many}",
        "ulimits: {nofile: {soft: 1}}",
        "cpus: nan",
    ];
    // The last line that defines a key is this one's.
    let told: Vec<_> = all.iter().map(|text| line(&text.replace("image: [a]", "hostname: [a]"))).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    /shop/compose.yaml:4: services.web.hostname: must be a string
    /shop/compose.yaml:4: services.web.privileged: invalid boolean: maybe
    /shop/compose.yaml:4: services.web.ports: must be a list
    /shop/compose.yaml:4: services.web.ports[0]: invalid hostPort: 99999
    /shop/compose.yaml:4: services.web.ports[0]: invalid ranges specified for container and host Ports: 5-9 and 1-2
    /shop/compose.yaml:4: services.web.ports[0]: invalid proto: xyz
    /shop/compose.yaml:4: services.web.volumes[0]: invalid spec: a::b: empty section between colons
    /shop/compose.yaml:4: services.web.volumes[0]: invalid spec: a:b:c:d: too many colons
    /shop/compose.yaml:4: services.web.volumes[0]: invalid mount config for type "bind": field Source must not be empty
    /shop/compose.yaml:4: services.web.environment.A: must be a string, number, boolean or null
    /shop/compose.yaml:4: services.web.mem_limit: invalid size: "lots"; it is written as 512m
    /shop/compose.yaml:4: services.web.stop_grace_period: invalid duration: "10"; it is written as 1m30s
    /shop/compose.yaml:4: services.web.healthcheck.test: when the test is a list, its first item is one of NONE, CMD and CMD-SHELL
    /shop/compose.yaml:4: services.web.command: invalid command line string: the ' is not closed
    /shop/compose.yaml:4: services.web.depends_on: must be a list of services, or a mapping with their conditions
    /shop/compose.yaml:4: services.web.depends_on.db.condition: must be one of service_started, service_healthy, service_completed_successfully
    /shop/compose.yaml:4: services.web.extra_hosts: invalid additional host, missing IP: nonsense
    /shop/compose.yaml:4: services.web.networks: array items must be unique: a is there twice
    /shop/compose.yaml:4: services.web.deploy.replicas: must be an integer
    /shop/compose.yaml:4: services.web.ulimits.nofile: must be a number, or soft and hard
    /shop/compose.yaml:4: services.web.cpus: must be a number
    "#);
}

#[test]
fn yaml_that_is_none() {
    insta::assert_snapshot!(refused("services:\n  web: {image: i\n"), @"/shop/compose.yaml:3: this is no YAML: while parsing a flow mapping, did not find expected ',' or '}'");
    insta::assert_snapshot!(refused("services:\n  web: {image: i}\n  web: {image: j}\n"), @r#"/shop/compose.yaml:3: mapping key "web" already defined at line 2"#);
    insta::assert_snapshot!(refused("services: {web: {image: *none}}\n"), @"/shop/compose.yaml:1: this is no YAML: while parsing node, found unknown anchor");
    insta::assert_snapshot!(refused("[a]\n"), @"/shop/compose.yaml:1: top-level object must be a mapping");
    insta::assert_snapshot!(refused("# nothing\n"), @"/shop/compose.yaml:1: empty compose file");
    insta::assert_snapshot!(refused("services:\n\tweb:\n"), @"/shop/compose.yaml:2: this is no YAML: tabs disallowed within this context (block indentation)");
    insta::assert_snapshot!(refused("services: {web: {image: i, ? [a] : b}}\n"), @"/shop/compose.yaml:1: a key is a string, and this is an array");
}

#[test]
fn variables() {
    insta::assert_snapshot!(line("hostname: '${A:?say what it is}'"), @"/shop/compose.yaml:4: services.web.hostname: required variable A is missing a value: say what it is");
    insta::assert_snapshot!(line("hostname: '${A?}'"), @"/shop/compose.yaml:4: services.web.hostname: required variable A is missing a value");
    insta::assert_snapshot!(line("hostname: 'a ${b'"), @r"
    /shop/compose.yaml:4: services.web.hostname: invalid interpolation format.
    You may need to escape any $ with another $.
    a ${b
    ");
    insta::assert_snapshot!(line("hostname: '$'"), @r"
    /shop/compose.yaml:4: services.web.hostname: invalid interpolation format.
    You may need to escape any $ with another $.
    $
    ");
    insta::assert_snapshot!(line("dns: ['${1x}']"), @r"
    /shop/compose.yaml:4: services.web.dns[0]: invalid interpolation format.
    You may need to escape any $ with another $.
    ${1x}
    ");
}

#[test]
fn names_of_what_is_not_there() {
    insta::assert_snapshot!(line("networks: [front]"), @r#"/shop/compose.yaml:4: services.web.networks.front: service "web" refers to undefined network front"#);
    insta::assert_snapshot!(refused("services: {web: {image: i, volumes: ['dta:/d']}}\nvolumes: {data: }\n"), @r#"/shop/compose.yaml:1: services.web.volumes[0]: service "web" refers to undefined volume dta; did you mean `data`?"#);
    insta::assert_snapshot!(line("secrets: [pw]"), @r#"/shop/compose.yaml:4: services.web.secrets[0]: service "web" refers to undefined secret pw"#);
    insta::assert_snapshot!(line("configs: [{source: c, target: /c}]"), @r#"/shop/compose.yaml:4: services.web.configs[0]: service "web" refers to undefined config c"#);
    insta::assert_snapshot!(line("depends_on: [db]"), @r#"/shop/compose.yaml:4: services.web.depends_on.db: service "web" depends on undefined service "db""#);
    insta::assert_snapshot!(line("extends: base"), @r#"/shop/compose.yaml:4: services.web.extends: cannot extend service "web": service "base" not found in /shop/compose.yaml"#);
    insta::assert_snapshot!(line("extends: {service: a, file: none.yaml}"), @"/shop/compose.yaml:4: services.web.extends: open /shop/none.yaml: no such file or directory");
    insta::assert_snapshot!(line("env_file: none.env"), @"/shop/compose.yaml:4: services.web.env_file: env file /shop/none.env not found");
    insta::assert_snapshot!(refused("services: {web: {image: i, depends_on: [db]}, db: {image: i, profiles: [x]}}\n"), @r#"/shop/compose.yaml:1: services.web.depends_on.db: service "web" depends on undefined service "db"; its profile is not enabled"#);
    insta::assert_snapshot!(refused("include: [none.yaml]\n"), @"/shop/compose.yaml:1: include[0]: open /shop/none.yaml: no such file or directory");
}

#[test]
fn circles() {
    insta::assert_snapshot!(refused("services:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, depends_on: [c]}\n  c:\n    image: i\n    depends_on:\n      - b\n"), @"/shop/compose.yaml:3: services.b.depends_on.c: dependency cycle detected: b -> c -> b");
    insta::assert_snapshot!(refused("services:\n  a: {extends: b}\n  b: {extends: a}\n"), @r"
    /shop/compose.yaml:2: services.a.extends: Circular reference:
      a in /shop/compose.yaml
      extends b in /shop/compose.yaml
      extends a in /shop/compose.yaml
    ");
    insta::assert_snapshot!(Folder::of("include: [b.yaml]\n").with("b.yaml", "include: [compose.yaml]\n").refused(), @r"
    /shop/b.yaml:1: include[0]: include cycle detected:
    /shop/compose.yaml
     include /shop/b.yaml
     include /shop/compose.yaml
    ");
}

#[test]
fn what_can_be_only_once() {
    insta::assert_snapshot!(refused("services:\n  a: {image: i, container_name: x1}\n  b:\n    image: i\n    container_name: x1\n"), @r#"/shop/compose.yaml:5: services.b.container_name: container name "x1" is already in use by service "a", /shop/compose.yaml:2"#);
    insta::assert_snapshot!(refused("services:\n  a: {image: i, ports: ['80:80']}\n  b:\n    image: i\n    ports:\n      - 81:81\n      - 127.0.0.1:80:80\n"), @r#"/shop/compose.yaml:7: services.b.ports[1]: port 80 is already published by service "a", /shop/compose.yaml:2"#);
    insta::assert_snapshot!(line("volumes: ['/b:/x/']\n    tmpfs: /x"), @"/shop/compose.yaml:4: services.web.volumes[0]: target /x already mounted as services.web.tmpfs[0]");
    insta::assert_snapshot!(line("container_name: one\n    scale: 2"), @"/shop/compose.yaml:4: services.web.container_name: can't set container_name and scale as container name must be unique");
    insta::assert_snapshot!(line("scale: 2\n    deploy: {replicas: 3}"), @"/shop/compose.yaml:4: services.web: can't set distinct values on 'scale' and 'deploy.replicas'");
    insta::assert_snapshot!(line("network_mode: host\n    networks: [a]"), @"/shop/compose.yaml:4: services.web.network_mode: service web declares mutually exclusive `network_mode` and `networks`");
}

#[test]
fn things_that_are_neither_here_nor_there() {
    insta::assert_snapshot!(refused("services: {web: {command: x}}\n"), @r#"/shop/compose.yaml:1: services.web: service "web" has neither an image nor a build context specified"#);
    insta::assert_snapshot!(refused("services: {web: {image: i, secrets: [s]}}\nsecrets: {s: {labels: {a: b}}}\n"), @"/shop/compose.yaml:2: secrets.s: one of file|environment must be set");
    insta::assert_snapshot!(refused("services: {web: {image: i, networks: [n]}}\nnetworks: {n: {external: true, driver: x}}\n"), @r#"/shop/compose.yaml:2: networks.n: conflicting parameters "external" and "driver" specified"#);
    insta::assert_snapshot!(refused("services: {web: {build: {dockerfile: a, dockerfile_inline: b}}}\n"), @"/shop/compose.yaml:1: services.web.build: dockerfile and dockerfile_inline are mutually exclusive");
}

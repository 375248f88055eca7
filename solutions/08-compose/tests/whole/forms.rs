//! Every short form, and the long one that is meant.

use super::folder::{Folder, service};

#[test]
fn ports() {
    insta::assert_snapshot!(service("ports: ['80', '8080:80', '127.0.0.1:53:53/udp', '7000-7001:8000-8001', '9000-9010:90', '[::1]:1:1']"), @r#"
    ports:
      - mode: ingress
        target: 80
        protocol: tcp
      - mode: ingress
        target: 80
        published: "8080"
        protocol: tcp
      - mode: ingress
        host_ip: 127.0.0.1
        target: 53
        published: "53"
        protocol: udp
      - mode: ingress
        target: 8000
        published: "7000"
        protocol: tcp
      - mode: ingress
        target: 8001
        published: "7001"
        protocol: tcp
      - mode: ingress
        target: 90
        published: 9000-9010
        protocol: tcp
      - mode: ingress
        host_ip: ::1
        target: 1
        published: "1"
        protocol: tcp
    "#);
}

#[test]
fn volumes() {
    insta::assert_snapshot!(service("volumes: [.:/src:ro, data:/data:nocopy, /anon, '../x:/y/../z:rshared,Z', {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}]"), @r#"
    volumes:
      - type: bind
        source: /shop
        target: /src
        read_only: true
        bind: {}
      - type: volume
        source: data
        target: /data
        volume:
          nocopy: true
      - type: volume
        target: /anon
        volume: {}
      - type: bind
        source: /x
        target: /z
        bind:
          selinux: Z
          propagation: rshared
      - type: tmpfs
        target: /t
        tmpfs:
          size: "1048576"
          mode: 448
    "#);
}

#[test]
fn commands_are_split_as_a_shell_does_and_an_empty_one_is_kept() {
    insta::assert_snapshot!(service("command: sh -c 'echo \"a b\"' c\\ d\nentrypoint: []"), @r#"
    command:
      - sh
      - -c
      - echo "a b"
      - c d
    entrypoint: []
    "#);
}

#[test]
fn variables_and_labels() {
    insta::assert_snapshot!(service("environment: [A=1, B=, C, 'D=x=y']\nlabels: {n: 1, f: 1.50, t: true, e: , o: 0777}"), @r#"
    environment:
      A: "1"
      B: ""
      C: null
      D: x=y
    labels:
      e: ""
      f: "1.5"
      "n": "1"
      o: "511"
      t: "true"
    "#);
}

#[test]
fn sizes_times_and_modes() {
    insta::assert_snapshot!(service(
        "mem_limit: 1.5g\nshm_size: 64MiB\nstop_grace_period: 90s\nhealthcheck: {test: [CMD, 'true'], interval: 1h0.5s, timeout: 300ms, retries: '3'}\ncpus: '0.50'\nconfigs: [{source: a, mode: 0440}]"
    ), @r#"
    cpus: 0.5
    configs:
      - source: a
        mode: "0440"
    healthcheck:
      test:
        - CMD
        - "true"
      timeout: 300ms
      interval: 1h0m0.5s
      retries: 3
    mem_limit: "1610612736"
    shm_size: "67108864"
    stop_grace_period: 1m30s
    "#);
}

#[test]
fn what_may_be_one_or_many() {
    insta::assert_snapshot!(service(
        "dns: 1.1.1.1\ntmpfs: /run\nbuild: .\nulimits: {nofile: 1024, nproc: {soft: 1, hard: 2}}\nextra_hosts: {b: [1.1.1.1, '::1'], a: '[::2]'}\ndevices: [/dev/fuse]\nsecrets: [pw]\nnetworks: [front]\nsysctls: [a=1]\nexpose: [80]"
    ), @r#"
    build:
      context: /shop
    devices:
      - source: /dev/fuse
        target: /dev/fuse
        permissions: rwm
    dns:
      - 1.1.1.1
    expose:
      - "80"
    extra_hosts:
      - a=::2
      - b=1.1.1.1
      - b=::1
    networks:
      front: null
    secrets:
      - source: pw
        target: /run/secrets/pw
    sysctls:
      a: "1"
    tmpfs:
      - /run
    ulimits:
      nofile: 1024
      nproc:
        soft: 1
        hard: 2
    "#);
}

#[test]
fn depends_on_says_under_which_condition() {
    insta::assert_snapshot!(service("depends_on: [db]"), @r"
    depends_on:
      db:
        condition: service_started
        required: true
    ");
    insta::assert_snapshot!(service("depends_on: {db: {condition: service_healthy, restart: true}, q: {required: false}}"), @r"
    depends_on:
      db:
        condition: service_healthy
        restart: true
        required: true
      q:
        condition: service_started
        required: false
    ");
}

#[test]
fn texts_that_would_be_read_as_something_else_are_quoted() {
    insta::assert_snapshot!(service(
        "labels:\n  a: 'yes'\n  b: '1'\n  c: ''\n  d: '22:22'\n  e: '2026-11-22'\n  f: 'x: y'\n  g: ' x'\n  h: '#x'\n  i: \"a\\nb\\n\"\n  j: \"a\\tb\"\n  k: 'null'\n  l: 'a #b'\n  m: '*a'\n  n: '-'\n  o: \"it's\"\n  p: '{a}'\n  q: 8080:80\n  r: \" a\\nb\""
    ), @r#"
    labels:
      a: "yes"
      b: "1"
      c: ""
      d: "22:22"
      e: "2026-11-22"
      f: 'x: y'
      g: ' x'
      h: '#x'
      i: |
        a
        b
      j: "a\tb"
      k: "null"
      l: 'a #b'
      m: '*a'
      "n": '-'
      o: it's
      p: '{a}'
      q: 8080:80
      r: |2-
         a
        b
    "#);
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let folder = Folder::of(
        "x-a: {b: [1, {c: d}]}\nservices:\n  web10: {image: i, environment: {A: $$x, B: \"a\\n  b \\n\"}}\n  web2: {build: {context: a}, x-y: z}\n",
    );
    let first = folder.yaml();
    insta::assert_snapshot!(first, @r#"
    name: shop
    services:
      web2:
        build:
          context: /shop/a
          dockerfile: Dockerfile
        networks:
          default: null
        x-y: z
      web10:
        environment:
          A: $$x
          B: "a\n  b \n"
        image: i
        networks:
          default: null
    networks:
      default:
        name: shop_default
    x-a:
      b:
        - 1
        - c: d
    "#);
    let again = Folder::of(&first);
    assert_eq!(again.yaml(), first);
}

#[test]
fn json_has_what_go_writes() {
    let folder = Folder::of("services: {web: {image: 'a<b', deploy: {replicas: 2}}}\nx-y: 1\n");
    insta::assert_snapshot!(folder.project().json(), @r#"
    {
      "name": "shop",
      "networks": {
        "default": {
          "name": "shop_default",
          "ipam": {}
        }
      },
      "services": {
        "web": {
          "command": null,
          "deploy": {
            "replicas": 2,
            "resources": {},
            "placement": {}
          },
          "entrypoint": null,
          "image": "a\u003cb",
          "networks": {
            "default": null
          }
        }
      },
      "x-y": 1
    }
    "#);
}

#[test]
fn without_interpolation_the_file_is_shown_with_its_variables() {
    let mut folder =
        Folder::of("services: {web: {image: 'i:$TAG', ports: ['$P:80'], init: '${X}', environment: {A: $$}}}\n");
    folder.how.interpolate = false;
    insta::assert_snapshot!(folder.yaml(), @r"
    name: shop
    networks:
      default:
        name: shop_default
    services:
      web:
        environment:
          A: $$
        image: i:$TAG
        init: ${X}
        networks:
          default: null
        ports:
          - $P:80
    ");
}

#[test]
fn names_and_networks_that_nobody_told() {
    insta::assert_snapshot!(Folder::of(
        "services:\n  a: {image: i, volumes: ['v:/v'], secrets: [s]}\n  b: {image: i, network_mode: 'service:a'}\n  c: {image: i, networks: [x]}\nvolumes: {v: , unused: }\nnetworks: {x: {external: true, name: real}}\nsecrets: {s: {environment: PW}}\n"
    ).yaml(), @r"
    name: shop
    services:
      a:
        image: i
        networks:
          default: null
        secrets:
          - source: s
            target: /run/secrets/s
        volumes:
          - type: volume
            source: v
            target: /v
            volume: {}
      b:
        depends_on:
          a:
            condition: service_started
            restart: true
            required: true
        image: i
        network_mode: service:a
      c:
        image: i
        networks:
          x: null
    networks:
      default:
        name: shop_default
      x:
        name: real
        external: true
    volumes:
      v:
        name: shop_v
    secrets:
      s:
        name: shop_s
        environment: PW
    ");
}

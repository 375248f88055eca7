//! Several files: over each other, extended, included, by profiles, with env files.

use super::folder::Folder;

#[test]
fn a_later_file_goes_over_an_earlier_one() {
    let folder = Folder::empty()
        .with("a.yaml", "services:\n  web:\n    image: a\n    command: [a]\n    ports: ['80:80', '81:81']\n    environment: {A: 1, B: 1}\n    volumes: ['./a:/x', './b:/y']\n    logging: {driver: json-file, options: {max-size: 1m}}\n    depends_on: [db]\n    dns: 1.1.1.1\n  db: {image: db}\n")
        .with("b.yaml", "services:\n  web:\n    image: b\n    command: b\n    ports: ['80:80', '82:82']\n    environment: [B=2, C=3]\n    volumes: ['./c:/x']\n    logging: {driver: syslog, options: {tag: t}}\n    depends_on: {db: {condition: service_healthy}}\n    dns: [8.8.8.8]\n")
        .files(&["a.yaml", "b.yaml"]);
    insta::assert_snapshot!(folder.yaml(), @r#"
    name: shop
    services:
      db:
        image: db
        networks:
          default: null
      web:
        command:
          - b
        depends_on:
          db:
            condition: service_healthy
            required: true
        dns:
          - 1.1.1.1
          - 8.8.8.8
        environment:
          A: "1"
          B: "2"
          C: "3"
        image: b
        logging:
          driver: syslog
          options:
            tag: t
        networks:
          default: null
        ports:
          - mode: ingress
            target: 80
            published: "80"
            protocol: tcp
          - mode: ingress
            target: 81
            published: "81"
            protocol: tcp
          - mode: ingress
            target: 82
            published: "82"
            protocol: tcp
        volumes:
          - type: bind
            source: /shop/c
            target: /x
            bind: {}
          - type: bind
            source: /shop/b
            target: /y
            bind: {}
    networks:
      default:
        name: shop_default
    "#);
}

#[test]
fn a_later_file_can_reset_and_replace() {
    let folder = Folder::empty()
        .with("a.yaml", "services:\n  web:\n    image: a\n    ports: ['80:80']\n    environment: {A: 1, B: 1}\n    cap_add: [X]\n    command: a\n")
        .with("b.yaml", "services:\n  web:\n    ports: !override ['81:81']\n    environment: {A: !reset null}\n    cap_add: !reset []\n    command: !reset null\n")
        .files(&["a.yaml", "b.yaml"]);
    insta::assert_snapshot!(folder.yaml(), @r#"
    name: shop
    services:
      web:
        environment:
          B: "1"
        image: a
        networks:
          default: null
        ports:
          - mode: ingress
            target: 81
            published: "81"
            protocol: tcp
    networks:
      default:
        name: shop_default
    "#);
}

#[test]
fn override_files_are_found_beside_and_above() {
    let mut folder = Folder::of("services: {web: {image: a}}\n")
        .with("compose.override.yml", "services: {web: {image: b}}\n")
        .with("deep/er/x", "");
    folder.request.folder = folder.path("deep/er");
    let project = folder.project();
    assert_eq!((project.images(), project.name.as_str()), (vec!["b".to_owned()], "shop"));
    let names: Vec<_> = project.files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["compose.yaml", "compose.override.yml"]);
}

#[test]
fn a_service_extends_one_of_this_file_or_another() {
    let folder = Folder::of("services:\n  web: {extends: {service: mid, file: base/base.yaml}, environment: {B: 2}}\n  own: {extends: web, command: x}\n")
        .with("base/base.yaml", "services:\n  root: {image: r, environment: {A: 1, B: 1}, volumes: ['./data:/d']}\n  mid: {extends: root, ports: ['80']}\n");
    insta::assert_snapshot!(folder.yaml(), @r#"
    name: shop
    services:
      own:
        command:
          - x
        environment:
          A: "1"
          B: "2"
        image: r
        networks:
          default: null
        ports:
          - mode: ingress
            target: 80
            protocol: tcp
        volumes:
          - type: bind
            source: /shop/base/data
            target: /d
            bind: {}
      web:
        environment:
          A: "1"
          B: "2"
        image: r
        networks:
          default: null
        ports:
          - mode: ingress
            target: 80
            protocol: tcp
        volumes:
          - type: bind
            source: /shop/base/data
            target: /d
            bind: {}
    networks:
      default:
        name: shop_default
    "#);
}

#[test]
fn an_included_file_has_its_own_folder_and_env_file() {
    let folder = Folder::of("include:\n  - sub/compose.yaml\n  - {path: [other.yaml, more.yaml], project_directory: elsewhere}\nservices: {web: {image: 'i:$TAG', depends_on: [db]}}\n")
        .with(".env", "TAG=ours\n")
        .with("sub/.env", "TAG=theirs\nONLY=there\n")
        .with("sub/compose.yaml", "services: {db: {image: 'db:$TAG-$ONLY', volumes: ['./d:/d']}}\n")
        .with("other.yaml", "services: {q: {build: .}}\n")
        .with("more.yaml", "services: {q: {ports: ['1:1']}}\n");
    insta::assert_snapshot!(folder.yaml(), @r#"
    name: shop
    services:
      db:
        image: db:ours-there
        networks:
          default: null
        volumes:
          - type: bind
            source: /shop/sub/d
            target: /d
            bind: {}
      q:
        build:
          context: /shop/elsewhere
          dockerfile: Dockerfile
        networks:
          default: null
        ports:
          - mode: ingress
            target: 1
            published: "1"
            protocol: tcp
      web:
        depends_on:
          db:
            condition: service_started
            required: true
        image: i:ours
        networks:
          default: null
    networks:
      default:
        name: shop_default
    "#);
}

#[test]
fn profiles_choose() {
    let mut folder = Folder::of(
        "services:\n  a: {image: a}\n  b: {image: b, profiles: [x, y]}\n  c: {image: c, profiles: [z], depends_on: [a]}\n",
    );
    assert_eq!(folder.project().names("services"), ["a"]);
    folder.request.profiles = vec!["y".into()];
    assert_eq!(folder.project().names("services"), ["a", "b"]);
    folder.request.profiles = vec!["*".into()];
    assert_eq!(folder.project().names("services"), ["a", "b", "c"]);
    folder.request.profiles = vec![];
    let named = crate::compose::Project::load(&folder.request, folder.how, &["c".into()]).unwrap();
    assert_eq!(named.in_order(), ["a", "c"]);
    let folder = folder.variables(&[("COMPOSE_PROFILES", "x, z")]);
    assert_eq!(folder.project().names("services"), ["a", "b", "c"]);
    assert_eq!(folder.project().profiles.into_iter().collect::<Vec<_>>(), ["x", "y", "z"]);
}

#[test]
fn env_files_are_beneath_the_environment() {
    let folder = Folder::of("services: {web: {image: i, env_file: [a.env, {path: none.env, required: false}, {path: raw.env, format: raw}], environment: {A: own, B: , C: }}}\n")
        .with("a.env", "# a comment\nA=file\nexport B=file # remark\nD=\"x\\n$A ${E:-e}\"\nF='$A'\nINHERITED\n")
        .with("raw.env", "R='$A' # as it is\n")
        .variables(&[("C", "outside"), ("INHERITED", "yes")]);
    insta::assert_snapshot!(folder.yaml(), @r#"
    name: shop
    services:
      web:
        environment:
          A: own
          B: file
          C: outside
          D: |-
            x
            own e
          F: $$A
          INHERITED: "yes"
          R: '''$$A'' # as it is'
        image: i
        networks:
          default: null
    networks:
      default:
        name: shop_default
    "#);
}

#[test]
fn the_name_is_given_or_told_or_the_folders() {
    let text = "name: \"${N:-Told_1}\"\nservices: {web: {image: i}}\n";
    assert_eq!(Folder::of("services: {web: {image: i}}\n").project().name, "shop");
    assert_eq!(Folder::of(text).project().name, "told_1");
    let mut folder = Folder::of(text).variables(&[("COMPOSE_PROJECT_NAME", "env")]);
    assert_eq!(folder.project().name, "env");
    folder.request.project_name = Some("flag".into());
    assert_eq!(folder.project().name, "flag");
    folder.request.project_name = Some("No!".into());
    assert!(folder.refused().starts_with("invalid project name \"No!\": must consist only of lowercase"));
}

#[test]
fn anchors_and_merges() {
    insta::assert_snapshot!(Folder::of(
        "x-a: &a {restart: always, environment: &e {A: 1, B: 1}}\nx-b: &b {restart: 'no', user: u}\nservices:\n  web: {<<: [*a, *b], image: i, environment: {<<: *e, B: 2}}\n"
    ).yaml(), @r#"
    name: shop
    services:
      web:
        environment:
          A: "1"
          B: "2"
        image: i
        networks:
          default: null
        restart: always
        user: u
    networks:
      default:
        name: shop_default
    x-a:
      environment:
        A: 1
        B: 1
      restart: always
    x-b:
      restart: "no"
      user: u
    "#);
}

//! What the engine keeps and tells of containers and images, through its public methods. Nothing is run here: so these
//! tests need no privilege, and leave nothing but a folder that goes with them.

#![allow(clippy::unwrap_used, clippy::panic)]

extern crate kesako_engine as engine;

use engine::api::{ContainerConfig, CreateRequest, HostConfig, MountRequest, RestartPolicy};
use engine::{CommitOptions, Engine, Filters, ImportOptions, Kind, ListOptions, RemoveOptions, Roots};
use std::io::Read;
use tempfile::TempDir;

/// An engine in a folder of its own, with the image `base:1`.
fn engine() -> (TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let roots = Roots { data: folder.path().join("data"), run: folder.path().join("run") };
    let engine = Engine::open(roots).unwrap();
    import(&engine, "base", "1", &["CMD [\"sh\"]", "ENV A=image B=image", "EXPOSE 80", "LABEL of=image"]);
    (folder, engine)
}

/// An image with one file, which belongs to whoever runs the tests.
fn import(engine: &Engine, repo: &str, tag: &str, changes: &[&str]) -> String {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(3);
    header.set_mtime(1);
    header.set_uid(nix::unistd::geteuid().as_raw().into());
    header.set_gid(nix::unistd::getegid().as_raw().into());
    tar.append_data(&mut header, "file", &b"hi\n"[..]).unwrap();
    let bytes = tar.into_inner().unwrap();
    let changes = changes.iter().map(ToString::to_string).collect();
    let options = ImportOptions { repo: repo.into(), tag: tag.into(), changes, ..Default::default() };
    engine.import(&mut bytes.as_slice(), &options).unwrap().id
}

fn request(host_config: HostConfig) -> CreateRequest {
    let config = ContainerConfig { image: "base:1".into(), ..Default::default() };
    CreateRequest { config, host_config, networking_config: None }
}

fn create(engine: &Engine, name: &str) -> String {
    engine.create(Some(name), request(HostConfig::default())).unwrap().id
}

fn filters(pairs: &[(&str, &str)]) -> Filters {
    let mut filters = Filters::new();
    for (key, value) in pairs {
        filters.entry((*key).to_owned()).or_default().push((*value).to_owned());
    }
    filters
}

fn names(engine: &Engine, pairs: &[(&str, &str)]) -> Result<Vec<String>, engine::Error> {
    let rows = engine.list(&ListOptions { all: true, filters: filters(pairs), ..Default::default() })?;
    Ok(rows.into_iter().map(|row| row.names[0].clone()).collect())
}

#[test]
fn a_container_is_made_of_its_image_and_of_what_the_user_says() {
    let (_folder, engine) = engine();
    let mut request = request(HostConfig { network_mode: "none".into(), memory: 8 << 20, ..Default::default() });
    request.config.env = Some(vec!["B=user".into()]);
    request.config.cmd = Some(vec!["sleep".into(), "1 2".into()]);
    request.config.working_dir = "/a/./b/../c//".into();
    let id = engine.create(Some("/web"), request).unwrap().id;

    let inspected = engine.inspect("web", true).unwrap();
    assert_eq!((inspected.id.as_str(), inspected.name.as_str()), (id.as_str(), "/web"));
    assert_eq!((inspected.path.as_str(), inspected.args), ("sleep", vec!["1 2".to_owned()]));
    assert_eq!(inspected.config.env.unwrap(), ["B=user", "A=image"]);
    assert_eq!(inspected.config.working_dir, "/a/c");
    assert_eq!(inspected.config.hostname, id[..12]);
    assert_eq!(inspected.config.labels["of"], "image");
    assert_eq!(inspected.host_config.memory_swap, 16 << 20);
    assert_eq!(inspected.host_config.restart_policy.name, "no");
    assert_eq!((inspected.size_rw, inspected.size_root_fs), (Some(0), Some(3)));
    assert_eq!(inspected.state.status, "created");

    let row = engine.list(&ListOptions { all: true, ..Default::default() }).unwrap().remove(0);
    assert_eq!((row.command.as_str(), row.status.as_str(), row.image.as_str()), ("sleep '1 2'", "Created", "base:1"));
    assert!(engine.list(&ListOptions::default()).unwrap().is_empty(), "one that does not run is not listed");
}

fn bind_mount(source: &str) -> MountRequest {
    MountRequest { r#type: "bind".into(), source: source.into(), target: "/x".into(), ..Default::default() }
}

#[test]
fn what_makes_no_sense_is_refused_in_dockers_words_and_leaves_nothing() {
    let (folder, engine) = engine();
    let list = |value: &str| Some(vec![value.to_owned()]);
    let policy = |name: &str, maximum_retry_count| RestartPolicy { name: name.into(), maximum_retry_count };
    let hosts = [
        HostConfig { memory: 1 << 20, ..Default::default() },
        HostConfig { memory: 10 << 20, memory_swap: 8 << 20, ..Default::default() },
        HostConfig { memory_swap: 8 << 20, ..Default::default() },
        HostConfig { nano_cpus: 1_000_000_000, cpu_quota: 1000, ..Default::default() },
        HostConfig { cpu_period: 5, ..Default::default() },
        HostConfig { cap_add: list("foo"), ..Default::default() },
        HostConfig { auto_remove: true, restart_policy: policy("always", 0), ..Default::default() },
        HostConfig { restart_policy: policy("always", 3), ..Default::default() },
        HostConfig { restart_policy: policy("on-failure", -1), ..Default::default() },
        HostConfig { restart_policy: policy("sometimes", 0), ..Default::default() },
        HostConfig { oom_score_adj: 2000, ..Default::default() },
        HostConfig { ipc_mode: "foo".into(), ..Default::default() },
        HostConfig { security_opt: list("a=b"), ..Default::default() },
        HostConfig { tmpfs: Some([("foo".to_owned(), String::new())].into()), ..Default::default() },
        HostConfig { tmpfs: Some([("/".to_owned(), String::new())].into()), ..Default::default() },
        HostConfig { runtime: "foo".into(), ..Default::default() },
        HostConfig { binds: list("/tmp:/"), ..Default::default() },
        HostConfig { binds: list("data:/x:foo"), ..Default::default() },
        HostConfig { binds: Some(vec!["data:/x".into(), "/tmp:/x/".into()]), ..Default::default() },
        HostConfig { binds: Some(vec!["data:/x".into(), "a:/y".into()]), ..Default::default() },
        HostConfig { binds: list("data:/x"), volume_driver: "nfs".into(), ..Default::default() },
        HostConfig { volumes_from: list("nope"), ..Default::default() },
        HostConfig { mounts: Some(vec![bind_mount("/no/such/folder")]), ..Default::default() },
    ];
    let mut texts: Vec<String> = Vec::new();
    let mut refuse = |request: CreateRequest| {
        let error = engine.create(Some("web"), request).unwrap_err();
        texts.push(format!("{:?}: {error}", error.kind));
    };
    hosts.into_iter().for_each(|host| refuse(request(host)));
    import(&engine, "empty", "1", &[]);
    let config = |image: &str| ContainerConfig { image: image.into(), ..Default::default() };
    let configs = [
        config("nope"),
        config("base:2"),
        config("empty:1"),
        ContainerConfig { working_dir: "foo".into(), ..config("base:1") },
        ContainerConfig { env: Some(vec!["=x".into()]), ..config("base:1") },
    ];
    configs.into_iter().for_each(|config| refuse(CreateRequest { config, ..Default::default() }));
    insta::assert_snapshot!(texts.join("\n"));
    assert!(names(&engine, &[]).unwrap().is_empty());
    for left in ["data/names", "data/containers", "data/volumes"] {
        assert_eq!(std::fs::read_dir(folder.path().join(left)).map_or(0, Iterator::count), 0, "{left}");
    }
}

#[test]
fn a_network_is_looked_for_when_the_container_starts() {
    let (_folder, engine) = engine();
    let host = HostConfig { network_mode: "foo".into(), ..Default::default() };
    match engine.create(Some("early"), request(host)) {
        Ok(_) => assert_eq!(names(&engine, &[]).unwrap(), ["/early"]),
        Err(error) => {
            assert_eq!(error.kind, Kind::NotImplemented, "{error}");
            assert!(error.message.starts_with("networks need a kernel with bridge, veth and nf_tables"), "{error}");
        }
    }
}

#[test]
fn of_two_containers_one_has_the_name() {
    let (_folder, engine) = engine();
    let first = create(&engine, "web");
    let error = engine.create(Some("web"), request(HostConfig::default())).unwrap_err();
    assert_eq!(error.kind, Kind::Conflict);
    assert_eq!(
        error.message,
        format!(
            "Conflict. The container name \"/web\" is already in use by container \"{first}\". You have to remove (or rename) that \
             container to be able to reuse that name."
        )
    );
    let error = engine.create(Some("x y"), request(HostConfig::default())).unwrap_err();
    assert_eq!(error.message, "Invalid container name (x y), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
    engine.remove("web", &RemoveOptions::default()).unwrap();
    create(&engine, "web");
}

#[test]
fn a_container_without_a_name_gets_one() {
    let (_folder, engine) = engine();
    let id = engine.create(None, request(HostConfig::default())).unwrap().id;
    let name = engine.inspect(&id, false).unwrap().name;
    assert!(name[1..].split('_').count() == 2, "{name}");
    assert_eq!(engine.inspect(&name, false).unwrap().id, id);
}

#[test]
fn renaming() {
    let (_folder, engine) = engine();
    create(&engine, "web");
    create(&engine, "db");
    let mut texts = Vec::new();
    for (id, name) in [("web", "web"), ("web", ""), ("nope", "x1"), ("web", "a b")] {
        texts.push(engine.rename(id, name).unwrap_err().message);
    }
    let conflict = engine.rename("web", "db").unwrap_err();
    assert!(conflict.message.starts_with("Error when allocating new name: Conflict. The container name \"/db\""));
    insta::assert_snapshot!(texts.join("\n"), @r"
    Renaming a container with the same name as its current name
    Neither old nor new names may be empty
    No such container: nope
    Error when allocating new name: Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed
    ");
    engine.rename("web", "/site").unwrap();
    assert_eq!(engine.inspect("site", false).unwrap().name, "/site");
    assert_eq!(engine.inspect("web", false).unwrap_err().kind, Kind::NotFound);
}

#[test]
fn lists_are_filtered() {
    let (_folder, engine) = engine();
    for name in ["one", "two", "three"] {
        create(&engine, name);
    }
    let id = engine.inspect("two", false).unwrap().id;
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case; 12] = [
        (&[], &["/three", "/two", "/one"]),
        (&[("name", "t")], &["/three", "/two"]),
        (&[("name", "^/one$")], &["/one"]),
        (&[("id", &id[..20])], &["/two"]),
        (&[("before", "three")], &["/two", "/one"]),
        (&[("since", "one")], &["/three", "/two"]),
        (&[("status", "created")], &["/three", "/two", "/one"]),
        (&[("status", "running")], &[]),
        (&[("label", "of=image"), ("name", "one")], &["/one"]),
        (&[("label", "of=user")], &[]),
        (&[("ancestor", "base:1"), ("name", "one")], &["/one"]),
        (&[("ancestor", "nope")], &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(names(&engine, filter).unwrap(), expected, "{filter:?}");
    }
    let refused: [(&str, &str); 5] =
        [("status", "foo"), ("foo", "bar"), ("exited", "x"), ("before", "nope"), ("publish", "1:2")];
    let texts: Vec<_> = refused.iter().map(|pair| names(&engine, &[*pair]).unwrap_err().message).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    invalid filter 'status=foo': invalid value for state (foo): must be one of created, running, paused, restarting, removing, exited, dead
    invalid filter 'foo'
    invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax
    No such container: nope
    filter for 'publish' should not contain ':': 1:2
    "#);
    let last = engine.list(&ListOptions { limit: Some(2), ..Default::default() }).unwrap();
    assert_eq!(last.iter().map(|row| row.names[0].as_str()).collect::<Vec<_>>(), ["/three", "/two"]);
}

#[test]
fn pruning_takes_what_the_filters_leave() {
    let (_folder, engine) = engine();
    let id = create(&engine, "web");
    assert_eq!(engine.prune_containers(&filters(&[("label!", "of")])).unwrap().containers_deleted, None);
    assert_eq!(engine.prune_containers(&filters(&[("until", "1h")])).unwrap().containers_deleted, None);
    let text = engine.prune_containers(&filters(&[("until", "foo")])).unwrap_err().message;
    assert_eq!(text, "failed to parse value as time or duration: \"foo\"");
    assert_eq!(engine.prune_containers(&Filters::new()).unwrap().containers_deleted.unwrap(), [id]);
    assert!(names(&engine, &[]).unwrap().is_empty());
}

#[test]
fn what_happens_is_told_in_order() {
    let (_folder, engine) = engine();
    create(&engine, "web");
    engine.rename("web", "site").unwrap();
    engine.remove("site", &RemoveOptions::default()).unwrap();
    engine.tag("base:1", "base", "2").unwrap();
    engine.image_remove("base:2", false, false).unwrap();

    let told = |until: f64| {
        let mut text = String::new();
        engine.events(Some(0.0), Some(until), Filters::new()).unwrap().read_to_string(&mut text).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<engine::api::Event>(line).unwrap());
        lines
            .map(|event| format!("{} {} {}", event.kind, event.action, event.actor.attributes["name"]))
            .collect::<Vec<_>>()
    };
    assert!(told(1.0e9).is_empty(), "nothing had happened by then");
    let now = jiff::Timestamp::now().as_second() as f64 + 1.0;
    let expected = [
        "container create web",
        "container rename site",
        "container destroy site",
        "image tag base:2",
        "image untag base:2",
    ];
    assert!(told(now).ends_with(&expected.map(str::to_owned)), "{:?}", told(now));
}

#[test]
fn images_are_kept_as_long_as_a_container_needs_them() {
    let (_folder, engine) = engine();
    create(&engine, "web");
    let error = engine.image_remove("base:1", false, false).unwrap_err();
    assert_eq!(error.kind, Kind::Conflict);
    assert!(
        error
            .message
            .starts_with("conflict: unable to remove repository reference \"base:1\" (must force) - container ")
    );
    assert!(engine.prune_images(&filters(&[("dangling", "false")])).unwrap().images_deleted.is_none());
    engine.remove("web", &RemoveOptions::default()).unwrap();
    let removed = engine.image_remove("base:1", false, false).unwrap();
    assert_eq!(removed[0].untagged.as_deref(), Some("base:1"));
    assert!(engine.images(true, &Filters::new()).unwrap().is_empty());
}

#[test]
fn an_image_of_a_container_that_never_ran_differs_in_its_recipe_only() {
    let (_folder, engine) = engine();
    create(&engine, "web");
    let options = CommitOptions {
        repo: "new".into(),
        comment: "a remark".into(),
        changes: vec!["CMD [\"other\"]".into(), "ENV B=changed".into()],
        ..Default::default()
    };
    let id = engine.commit("web", &options, None).unwrap().id;
    let image = engine.image_inspect("new:latest").unwrap();
    assert_eq!((image.id.as_str(), image.comment.as_str()), (id.as_str(), "a remark"));
    assert_eq!(image.root_fs.layers, engine.image_inspect("base:1").unwrap().root_fs.layers);
    assert_eq!(image.config.cmd.unwrap(), ["other"]);
    assert_eq!(image.config.env.unwrap(), ["A=image", "B=changed"]);
    assert_eq!(engine.image_history("new").unwrap()[0].comment, "a remark");
    // A container of the new image has the old one as an ancestor.
    let mut request = request(HostConfig::default());
    request.config.image = "new".into();
    engine.create(Some("child"), request).unwrap();
    assert_eq!(names(&engine, &[("ancestor", "base:1")]).unwrap(), ["/child", "/web"]);
    assert_eq!(names(&engine, &[("ancestor", "new")]).unwrap(), ["/child"]);
}

/// What a SIGKILL leaves of a removal, and of a creation, is gone after the next look.
#[test]
fn half_made_and_half_removed_containers_are_cleared_away() {
    let (folder, engine) = engine();
    let id = create(&engine, "web");
    let containers = folder.path().join("data/containers");
    std::fs::write(containers.join(&id).join("state.json"), "{\"Status\": \"removing\"}").unwrap();
    std::fs::create_dir(containers.join("a".repeat(64))).unwrap();
    assert!(names(&engine, &[]).unwrap().is_empty());
    assert_eq!(std::fs::read_dir(&containers).unwrap().count(), 0);
    create(&engine, "web");
}

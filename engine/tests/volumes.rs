//! What the engine keeps and tells of volumes, through its public methods. Nothing is run or mounted here: so these tests
//! need no privilege, and leave nothing but a folder that goes with them.

#![allow(clippy::unwrap_used, clippy::panic)]

extern crate kesako_engine as engine;

use engine::api::{ContainerConfig, CreateRequest, Empty, HostConfig, MountRequest, VolumeCreate, VolumeOptions};
use engine::{Engine, Filters, ImportOptions, Kind, ListOptions, RemoveOptions, Roots};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// An engine in a folder of its own, with an empty image.
fn engine() -> (TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let roots = Roots { data: folder.path().join("data"), run: folder.path().join("run") };
    let engine = Engine::open(roots).unwrap();
    let changes = vec!["CMD [\"sh\"]".to_owned()];
    let options = ImportOptions { repo: "base".into(), changes, ..Default::default() };
    engine.import(&mut [0u8; 1024].as_slice(), &options).unwrap();
    (folder, engine)
}

fn create(engine: &Engine, name: &str, host_config: HostConfig) -> String {
    let config = ContainerConfig { image: "base".into(), ..Default::default() };
    engine.create(Some(name), CreateRequest { config, host_config, networking_config: None }).unwrap().id
}

/// `-v …:nocopy`: what would be copied takes a mount to see.
fn binds(binds: &[&str]) -> HostConfig {
    HostConfig { binds: Some(binds.iter().map(ToString::to_string).collect()), ..Default::default() }
}

fn nameless(target: &str) -> MountRequest {
    let volume_options = Some(VolumeOptions { no_copy: true, ..Default::default() });
    MountRequest { r#type: "volume".into(), target: target.into(), volume_options, ..Default::default() }
}

fn make(engine: &Engine, name: &str, labels: &[(&str, &str)]) -> String {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    engine.create_volume(VolumeCreate { name: name.into(), labels: Some(labels), ..Default::default() }).unwrap().name
}

fn filters(pairs: &[(&str, &str)]) -> Filters {
    let mut filters = Filters::new();
    for (key, value) in pairs {
        filters.entry((*key).to_owned()).or_default().push((*value).to_owned());
    }
    filters
}

fn names(engine: &Engine, pairs: &[(&str, &str)]) -> Vec<String> {
    engine.list_volumes(&filters(pairs)).unwrap().volumes.into_iter().map(|volume| volume.name).collect()
}

#[test]
fn volumes_are_found_by_every_filter() {
    let (folder, engine) = engine();
    make(&engine, "logs", &[("tier", "front")]);
    make(&engine, "data", &[("tier", "back"), ("keep", "")]);
    create(&engine, "web", binds(&["data:/data:nocopy"]));
    assert_eq!(names(&engine, &[]), ["data", "logs"]);
    for (filter, expected) in [
        (("dangling", "true"), "logs"),
        (("dangling", "false"), "data"),
        (("name", "^lo"), "logs"),
        (("label", "tier=back"), "data"),
        (("label", "keep"), "data"),
    ] {
        assert_eq!(names(&engine, &[filter]), [expected], "{filter:?}");
    }
    assert_eq!(names(&engine, &[("driver", "nfs")]), [""; 0]);
    let error = engine.list_volumes(&filters(&[("colour", "red")])).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Invalid, "invalid filter 'colour'"));

    let volume = engine.inspect_volume("data").unwrap();
    assert_eq!(volume.mountpoint, folder.path().join("data/volumes/data/_data").display().to_string());
    assert_eq!((volume.driver.as_str(), volume.scope.as_str(), volume.options), ("local", "local", None));
    assert_eq!(engine.inspect_volume("nope").unwrap_err().message, "get nope: no such volume");
}

#[test]
fn a_volume_in_use_stays_and_one_that_is_not_goes() {
    let (_folder, engine) = engine();
    let id = create(&engine, "web", binds(&["data:/data:nocopy"]));
    let error = engine.remove_volume("data", true).unwrap_err();
    assert_eq!((error.kind, error.message), (Kind::Conflict, format!("remove data: volume is in use - [{id}]")));
    engine.remove("web", &RemoveOptions { volumes: true, ..Default::default() }).unwrap();
    // It has a name: who removes the container with its volumes does not mean it.
    engine.remove_volume("data", false).unwrap();
    assert_eq!(engine.remove_volume("data", false).unwrap_err().message, "get data: no such volume");
    engine.remove_volume("data", true).unwrap();
}

#[test]
fn what_nobody_named_goes_with_the_last_who_has_it() {
    let (_folder, engine) = engine();
    let all = || names(&engine, &[]).len();
    let own = || HostConfig { mounts: Some(vec![nameless("/data"), nameless("/cache")]), ..Default::default() };
    create(&engine, "web", own());
    assert_eq!(all(), 2);
    engine.remove("web", &RemoveOptions::default()).unwrap();
    assert_eq!(all(), 2, "without -v they stay");
    assert_eq!(engine.prune_volumes(&Filters::new()).unwrap().volumes_deleted.len(), 2);

    create(&engine, "web", own());
    let lent = HostConfig { volumes_from: Some(vec!["web".into()]), ..Default::default() };
    create(&engine, "other", lent);
    let with_volumes = RemoveOptions { volumes: true, ..Default::default() };
    engine.remove("web", &with_volumes).unwrap();
    assert_eq!(all(), 2, "another has them");
    engine.remove("other", &with_volumes).unwrap();
    assert_eq!(all(), 0);
}

#[test]
fn a_prune_takes_what_it_is_told_to() {
    let (_folder, engine) = engine();
    make(&engine, "kept", &[("keep", "yes")]);
    make(&engine, "named", &[]);
    make(&engine, "used", &[]);
    let anonymous = make(&engine, "", &[]);
    create(&engine, "web", binds(&["used:/x:nocopy"]));
    let prune = |pairs: &[(&str, &str)]| engine.prune_volumes(&filters(pairs)).unwrap().volumes_deleted;
    assert_eq!(prune(&[]), [anonymous]);
    assert_eq!(prune(&[("all", "1"), ("label!", "keep")]), ["named"]);
    assert_eq!(prune(&[("all", "true")]), ["kept"]);
    assert_eq!(names(&engine, &[]), ["used"]);
    assert_eq!(engine.prune_volumes(&filters(&[("until", "1h")])).unwrap_err().message, "invalid filter 'until'");
}

#[test]
fn a_container_tells_what_it_has_where() {
    let (folder, engine) = engine();
    let host = HostConfig {
        mounts: Some(vec![
            nameless("/cache"),
            MountRequest { r#type: "tmpfs".into(), target: "/memory".into(), ..Default::default() },
        ]),
        ..binds(&["data:/data/deep:nocopy,ro", "/etc:/data:ro,rslave"])
    };
    create(&engine, "web", host);
    let told = serde_json::to_string_pretty(&engine.inspect("web", false).unwrap().mounts).unwrap();
    let anonymous = names(&engine, &[("name", "^[0-9a-f]{64}$")]).remove(0);
    let told = told.replace(&anonymous, "ANONYMOUS").replace(folder.path().to_str().unwrap(), "ROOT");
    insta::assert_snapshot!(told);
    for (filter, fits) in [("data", true), ("/data", true), ("/etc", true), ("/memory", true), ("/nope", false)] {
        let filters = filters(&[("volume", filter)]);
        let rows = engine.list(&ListOptions { all: true, filters, ..Default::default() }).unwrap();
        assert_eq!(rows.len(), usize::from(fits), "{filter}");
    }
}

#[test]
fn who_declares_a_place_gets_it_only_if_nobody_else_does() {
    let (_folder, engine) = engine();
    create(&engine, "lender", binds(&["lent:/a:nocopy"]));
    let volumes = Some(BTreeMap::from([("/a".to_owned(), Empty {}), ("/b".to_owned(), Empty {})]));
    let config = ContainerConfig { image: "base".into(), volumes, ..Default::default() };
    let host_config = HostConfig {
        volumes_from: Some(vec!["lender:ro".into()]),
        tmpfs: Some([("/b".to_owned(), String::new())].into()),
        ..Default::default()
    };
    engine.create(Some("web"), CreateRequest { config, host_config, networking_config: None }).unwrap();
    let mounts = engine.inspect("web", false).unwrap().mounts;
    assert_eq!(mounts.len(), 1, "{mounts:?}");
    assert_eq!((mounts[0].name.as_str(), mounts[0].destination.as_str(), mounts[0].rw), ("lent", "/a", false));
}

#[test]
fn a_killed_removal_is_finished_with_the_volumes() {
    let (folder, engine) = engine();
    let own = HostConfig { mounts: Some(vec![nameless("/data")]), ..Default::default() };
    let id = create(&engine, "web", own);
    // As one is found that was killed between taking the container away and taking its volumes away.
    let container = folder.path().join("data/containers").join(&id);
    std::fs::rename(container.join("config.json"), container.join("removed.json")).unwrap();
    // What another test forks in this moment has the container's lock, too, until it executes something: then the next who
    // looks finishes it.
    let finished = (0..100).any(|_| {
        assert!(engine.list(&ListOptions { all: true, ..Default::default() }).unwrap().is_empty());
        let finished = names(&engine, &[]).is_empty();
        if !finished {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        finished
    });
    assert!(finished, "the volume of a container that is gone is still there");
    assert!(!container.exists());
}

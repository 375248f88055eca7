//! Against the machine's own trees; a user who may not make groups there sees only that this is said, and nothing is
//! left.

use std::process::{Child, Command};

use super::*;
use crate::not_run::not_run;

fn resources(json: &str) -> oci::LinuxResources {
    serde_json::from_str(json).unwrap()
}

/// Makes a cgroup of its own for the test, or tells why not.
fn create(test: &str, json: &str) -> Option<Cgroup> {
    match Cgroup::create(&format!("test-{test}-{}", std::process::id()), &resources(json)) {
        Ok((cgroup, _)) if cgroup.unified.is_some() => Some(cgroup),
        Ok((cgroup, _)) => {
            not_run(test, "this user cannot make cgroups in a v2 tree");
            cgroup.remove().unwrap();
            None
        }
        Err(error) => {
            not_run(test, &error.to_string());
            None
        }
    }
}

fn sleeper(cgroup: &Cgroup) -> Child {
    let child = Command::new("sleep").arg("1000").spawn().unwrap();
    cgroup.add(child.id() as i32).unwrap();
    child
}

fn folders(cgroup: &Cgroup) -> Vec<PathBuf> {
    cgroup.folders().into_iter().map(Path::to_owned).collect()
}

fn state(child: &Child) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/wchan", child.id())).unwrap_or_default();
    stat.trim().to_owned()
}

#[test]
fn processes_are_listed_frozen_thawed_killed_and_nothing_is_left() {
    let Some(cgroup) = create("life", "{}") else { return };
    let folders = folders(&cgroup);
    let mut child = sleeper(&cgroup);
    assert_eq!(cgroup.processes().unwrap(), [child.id() as i32]);
    cgroup.freeze().unwrap();
    assert!(read(&folders[0], "cgroup.events").unwrap().contains("frozen 1"), "{}", state(&child));
    cgroup.thaw().unwrap();
    assert_eq!(cgroup.stats().unwrap().pids, 1);
    assert!(cgroup.stats().unwrap().memory > 0);
    cgroup.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(Cgroup::list().contains(&cgroup.name));
    assert_eq!(Cgroup::open(&cgroup.name).processes().unwrap(), Vec::<i32>::new());
    cgroup.remove().unwrap();
    assert!(folders.iter().all(|folder| !folder.exists()), "{folders:?}");
}

#[test]
fn who_survives_sigkill_is_told() {
    // A process of another PID namespace has no number here, so nobody can kill it: it reads as 0 (pid_namespaces(7)).
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cgroup.procs"), "0\n").unwrap();
    fs::write(folder.path().join("freezer.state"), "").unwrap();
    let v1 = vec![(Controller::Freezer, folder.path().to_owned())];
    let error = Cgroup { name: "x".to_owned(), unified: None, v1 }.kill().unwrap_err();
    assert_eq!(error.to_string(), "processes of x survive SIGKILL: [0]");
}

#[test]
fn limits_are_in_force_for_who_has_joined() {
    let asked = r#"{"memory":{"limit":67108864,"swap":67108864},"pids":{"limit":7},"cpu":{"quota":50000,"period":100000,"shares":512,"cpus":"0"}}"#;
    let Some(mut cgroup) = create("limits", asked) else { return };
    let folders = folders(&cgroup);
    let mut child = sleeper(&cgroup);
    let stats = cgroup.stats().unwrap();
    assert_eq!((stats.memory_limit, stats.pids, stats.pids_limit), (Some(67_108_864), 1, Some(7)));
    assert_eq!(cgroup.joins().unwrap().len(), cgroup.v1_folders().len());

    // Lower and higher than what memory and swap together may be: one order of writing is wrong for each.
    for limit in [33_554_432, 134_217_728_u64] {
        let warnings =
            cgroup.update(&resources(&format!(r#"{{"memory":{{"limit":{limit},"swap":{limit}}}}}"#))).unwrap();
        assert_eq!((cgroup.stats().unwrap().memory_limit, warnings.len()), (Some(limit), 0));
    }
    cgroup.kill().unwrap();
    child.wait().unwrap();
    cgroup.remove().unwrap();
    assert!(folders.iter().all(|folder| !folder.exists()), "{folders:?}");
}

#[test]
fn what_is_passed_over_is_known_beforehand() {
    let asked = r#"{"memory":{"limit":67108864,"swap":67108864,"swappiness":10,"disableOOMKiller":true}}"#;
    let beforehand = passed_over(&resources(asked)).unwrap();
    let (cgroup, passed_over) = match Cgroup::create(&format!("test-over-{}", std::process::id()), &resources(asked)) {
        Ok(created) => created,
        Err(error) => return eprintln!("NOT RUN: what is passed over: {error}"),
    };
    cgroup.remove().unwrap();
    assert_eq!(beforehand, passed_over);
}

#[test]
fn no_limit_takes_no_controller() {
    let Some(cgroup) = create("lifted", r#"{"memory":{"swap":-1},"pids":{"limit":-1},"cpu":{"quota":-1}}"#) else {
        return;
    };
    assert_eq!(cgroup.v1.len(), 0);
    cgroup.remove().unwrap();
}

#[test]
fn a_limit_that_comes_later_takes_the_processes_along() {
    let Some(mut cgroup) = create("update", "{}") else { return };
    let mut child = sleeper(&cgroup);
    let updated = cgroup.update(&resources(r#"{"pids":{"limit":3}}"#));
    let stats = cgroup.stats().unwrap();
    cgroup.kill().unwrap();
    child.wait().unwrap();
    cgroup.remove().unwrap();
    match updated {
        Ok(_) => assert_eq!((stats.pids, stats.pids_limit), (1, Some(3))),
        Err(error) => assert!(error.to_string().contains("`pids`"), "{error}"),
    }
}

#[test]
fn the_kernel_counts_whom_it_killed_for_want_of_memory() {
    let Some(cgroup) = create("oom", r#"{"memory":{"limit":8388608,"swap":8388608}}"#) else { return };
    assert_eq!(cgroup.oom_kills(), 0);
    let hog = "read go; x=0123456789abcdef; while :; do x=$x$x; done";
    let mut child = Command::new("sh").args(["-c", hog]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    cgroup.add(child.id() as i32).unwrap();
    drop(child.stdin.take());
    assert!(!child.wait().unwrap().success());
    assert_eq!(cgroup.oom_kills(), 1);
    cgroup.remove().unwrap();
}

#[test]
fn devices_outside_the_list_cannot_be_opened() {
    let rules = serde_json::to_string(&device_rules::default_rules()).unwrap();
    let Some(cgroup) = create("devices", &format!(r#"{{"devices":{rules}}}"#)) else { return };
    // /dev/full and /dev/null are on the list; a made node for kmsg (1:11) may exist, but not be opened.
    let script = "read go; : > /dev/null && : < /dev/full && mknod $0 c 1 11 && ! (: < $0) 2>/dev/null && ! (mknod $0.2 c 1 11; : > $0.2) 2>/dev/null";
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(folder.path().join("kmsg"))
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    cgroup.add(child.id() as i32).unwrap();
    drop(child.stdin.take());
    let status = child.wait().unwrap();
    cgroup.remove().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn groups_made_inside_go_too() {
    let Some(cgroup) = create("nested", "{}") else { return };
    let folder = cgroup.folders()[0].to_owned();
    fs::create_dir_all(folder.join("a/b")).unwrap();
    cgroup.remove().unwrap();
    assert!(!folder.exists());
}

#[test]
fn processes_step_aside_where_a_controller_is_handed_down() {
    let Some(mount) = hierarchy::unified().filter(|mount| write(mount, "cgroup.subtree_control", "+pids").is_ok())
    else {
        not_run("processes_step_aside", "this machine's v2 tree has no controllers, or is not ours");
        return;
    };
    let top = mount.join(format!("test-delegated-{}", std::process::id()));
    let group = top.join("kesako/x");
    fs::create_dir_all(&group).unwrap();
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    write(&top, "cgroup.procs", &child.id().to_string()).unwrap();
    let controls = Unified::open(group.clone()).unwrap().controls(Controller::Pids);
    let limited = write(&group, "pids.max", "5");
    let aside = read(&top.join("kesako-engine"), "cgroup.procs");
    child.kill().unwrap();
    child.wait().unwrap();
    remove_tree(&top).unwrap();
    assert!(controls.unwrap());
    limited.unwrap();
    assert_eq!(aside.unwrap().trim(), child.id().to_string());
}

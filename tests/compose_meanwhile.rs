//! What others do to a project meanwhile: `up` copes with what it finds, and makes nothing while something is missing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::process::{Child, Stdio};
use support::Sandbox;

/// Writes the project's file.
fn write(sandbox: &Sandbox, file: &str) {
    let folder = sandbox.path().join("shop");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("compose.yaml"), file).unwrap();
}

fn compose<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["compose", "-f", "shop/compose.yaml"], words].concat()
}

fn up(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.std_command(&compose(&["up", "-d"]));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// `NAME STATE` of all containers, sorted.
fn states(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox.ok(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
    let mut states: Vec<String> = listed.lines().map(str::to_owned).collect();
    states.sort();
    states
}

const SLEEP: &str = "image: workbench, command: sleep 1000, stop_signal: SIGKILL";

#[test]
fn a_network_of_the_same_name_is_another_network() {
    Sandbox::each(|sandbox| {
        write(
            sandbox,
            &format!(
                "services:\n  a: {{{SLEEP}}}\n  b: {{{SLEEP}, networks: [there]}}\nnetworks: {{there: {{external: true}}}}\n"
            ),
        );
        sandbox.ok(&["network", "create", "there"]);
        sandbox.ok(&compose(&["create"]));
        let labels = ["--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.network=default"];
        for (name, labels) in [("shop_default", &labels[..]), ("there", &[])] {
            sandbox.ok(&["network", "rm", name]);
            sandbox.ok(&[&["network", "create"], labels, &[name]].concat());
        }
        sandbox.ok(&compose(&["up", "-d"]));
        assert_eq!(states(sandbox), ["shop-a-1 running", "shop-b-1 running"]);
        let id = sandbox.ok(&["inspect", "-f", "{{.Id}}", "shop-a-1"]);
        sandbox.ok(&compose(&["up", "-d"]));
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.Id}}", "shop-a-1"]), id, "once is enough");
        sandbox.ok(&compose(&["down"]));
        sandbox.ok(&["network", "rm", "there"]);
    });
}

#[test]
fn who_comes_second_takes_the_network_that_the_first_has_made() {
    let sandbox = &Sandbox::new();
    write(sandbox, &format!("services:\n  a: {{{SLEEP}}}\n"));
    for _ in 0..5 {
        let ups: Vec<Child> = (0..4).map(|_| up(sandbox)).collect();
        for up in ups {
            let output = up.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(!told.contains("network with name"), "{told}");
        }
        sandbox.ok(&compose(&["up", "-d"]));
        assert_eq!(states(sandbox), ["shop-a-1 running"]);
        sandbox.ok(&compose(&["down"]));
    }
}

#[test]
fn nothing_is_made_while_something_is_missing_that_others_make() {
    Sandbox::each(|sandbox| {
        let refused = |text: &str| {
            write(sandbox, text);
            let told = sandbox.fails(1, &compose(&["up", "-d"])).replace(sandbox.path().to_str().unwrap(), "");
            assert_eq!(sandbox.ok(&["volume", "ls", "-q"]), "", "{told}");
            assert_eq!(sandbox.ok(&["network", "ls", "-q", "--filter", "type=custom"]), "", "{told}");
            assert_eq!(states(sandbox), Vec::<String>::new());
            told.trim_end().to_owned()
        };
        let web = "services:\n  web: {image: workbench, networks: [default, x], volumes: ['v:/v', 'w:/w']}\n";
        assert_eq!(
            refused(&format!("{web}networks: {{x: }}\nvolumes: {{v: , w: {{external: true}}}}\n")),
            "/shop/compose.yaml:4: volumes.w: external volume \"w\" not found"
        );
        assert_eq!(
            refused(&format!("{web}networks:\n  x: {{external: true, name: y}}\nvolumes: {{v: , w: }}\n")),
            "/shop/compose.yaml:4: networks.x: network y declared as external, but could not be found"
        );
        let one = |text: &str| refused(&format!("services:\n  web:\n    image: workbench\n    {text}\n"));
        assert_eq!(
            one("secrets: [s]\nsecrets: {s: {file: ./gone}}"),
            "/shop/compose.yaml:4: services.web.secrets[0]: bind source path does not exist: /shop/gone"
        );
        assert_eq!(
            one("volumes: [{type: bind, source: ./gone, target: /x, bind: {create_host_path: false}}]"),
            "/shop/compose.yaml:4: services.web.volumes[0]: bind source path does not exist: /shop/gone"
        );
        assert_eq!(
            one("secrets: [{source: s, target: ../../x}]\nsecrets: {s: {environment: HOME}}"),
            "/shop/compose.yaml:4: services.web.secrets[0]: a secret cannot be put at \"../../x\": `..` leads out of its folder"
        );
        assert_eq!(
            one("volumes: ['v:/v']\nvolumes: {v: {name: ../x}}"),
            "/shop/compose.yaml:5: volumes.v.name: \"../x\" is no name: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        );
        assert_eq!(
            one("networks: [n]\nnetworks: {n: {name: 'a/../b?x=1&y'}}"),
            "/shop/compose.yaml:5: networks.n.name: \"a/../b?x=1&y\" is no name: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        );
    });
}

#[test]
fn a_container_of_the_highest_number_is_one_as_others_are() {
    let sandbox = &Sandbox::new();
    write(sandbox, &format!("services:\n  a: {{{SLEEP}}}\n"));
    let labels = ["project=shop", "service=a", "container-number=4294967295", "oneoff=False", "config-hash=x"]
        .map(|label| format!("com.docker.compose.{label}"));
    let labels = labels.iter().flat_map(|label| ["--label", label]);
    let words: Vec<&str> = ["create", "--name", "odd"].into_iter().chain(labels).chain(["workbench"]).collect();
    sandbox.ok(&words);
    sandbox.fails(1, &compose(&["up", "-d", "--scale", "a=3"]));
    sandbox.ok(&compose(&["down"]));
    assert_eq!(states(sandbox), Vec::<String>::new());
}

#[test]
fn a_path_with_a_colon_is_one_path() {
    Sandbox::each(|sandbox| {
        let volume = "{type: bind, source: './a:b', target: '/c:d'}";
        write(sandbox, &format!("services:\n  a: {{image: workbench, volumes: [{volume}], command: ls /c:d}}\n"));
        fs::create_dir_all(sandbox.path().join("shop/a:b/inside")).unwrap();
        assert!(sandbox.ok(&compose(&["up", "--no-color"])).contains("inside"));
        sandbox.ok(&compose(&["down"]));
    });
}

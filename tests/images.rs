//! Images come, are named, travel as archives, and go.

mod support;

use support::{Sandbox, installed, not_run};

#[test]
fn the_table_of_images() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "--rm", "workbench", "true"]);
    let table = sandbox.ok(&["images"]);
    let header: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]);
    assert!(table.lines().nth(1).unwrap().starts_with("workbench    latest"), "{table}");
    sandbox.ok(&["tag", "workbench", "registry.example:5000/tools/bench:v1"]);
    assert_eq!(
        sandbox.ok(&["images", "--format", "{{.Repository}}:{{.Tag}}", "registry.example:5000/tools/bench"]),
        "registry.example:5000/tools/bench:v1"
    );
    assert_eq!(
        sandbox.ok(&["rmi", "registry.example:5000/tools/bench:v1"]),
        "Untagged: registry.example:5000/tools/bench:v1"
    );
    let missing = sandbox.fails(1, &["rmi", "nothing"]);
    assert!(missing.contains("No such image: nothing:latest"), "{missing}");
}

#[test]
fn an_image_in_use_stays() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["create", "--name", "user", "workbench", "true"]);
    let refused = sandbox.fails(1, &["rmi", "workbench"]);
    assert!(refused.contains("onflict: unable to"), "{refused}");
    sandbox.ok(&["image", "prune", "-a", "-f"]);
    sandbox.ok(&["start", "-a", "user"]);
}

#[test]
fn commit_history_and_back() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&[
            "run",
            "--name",
            "work",
            "workbench",
            "sh",
            "-c",
            "echo data > /made; rm /etc/os-release; mkdir -p /deep/er",
        ]);
        let id = sandbox.ok(&[
            "commit",
            "-m",
            "a message",
            "-a",
            "an author",
            "-c",
            "CMD [\"cat\", \"/made\"]",
            "-c",
            "ENV X=y",
            "work",
            "made:one",
        ]);
        assert!(id.starts_with("sha256:"), "{id}");
        assert_eq!(sandbox.ok(&["run", "--rm", "made:one"]), "data");
        assert_eq!(
            sandbox.ok(&[
                "run",
                "--rm",
                "made:one",
                "sh",
                "-c",
                "echo $X; ls /etc/os-release 2>/dev/null; ls -d /deep/er"
            ]),
            "y\n/deep/er"
        );
        let history = sandbox.ok(&["history", "--format", "{{.Comment}}", "made:one"]);
        assert_eq!(history.lines().next(), Some("a message"));
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.Author}} {{.Config.Cmd}}", "made:one"]), "an author [cat /made]");
        sandbox.ok(&["rm", "work"]);
        let removed = sandbox.ok(&["rmi", "made:one"]);
        assert!(removed.starts_with("Untagged: made:one\n") && removed.contains("Deleted: sha256:"), "{removed}");
    });
}

#[test]
fn save_and_load() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&["run", "--rm", "workbench", "true"]);
        let id = sandbox.ok(&["image", "inspect", "-f", "{{.Id}}", "workbench"]);
        let archive = sandbox.path().join("bench.tar");
        let archive = archive.to_str().unwrap();
        sandbox.ok(&["save", "-o", archive, "workbench"]);
        sandbox.ok(&["rmi", "workbench"]);
        assert_eq!(sandbox.ok(&["images", "-q"]), "");
        assert_eq!(sandbox.ok(&["load", "-i", archive]), "Loaded image: workbench:latest");
        assert_eq!(sandbox.ok(&["image", "inspect", "-f", "{{.Id}}", "workbench"]), id);
        assert_eq!(sandbox.ok(&["run", "--rm", "workbench", "echo", "loaded"]), "loaded");
    });
}

#[test]
fn export_and_import() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&["run", "--name", "work", "workbench", "sh", "-c", "echo data > /made"]);
        let flat = sandbox.path().join("flat.tar");
        let flat = flat.to_str().unwrap();
        sandbox.ok(&["export", "-o", flat, "work"]);
        let id = sandbox.ok(&["import", "-c", "CMD [\"cat\", \"/made\"]", flat, "flat:one"]);
        assert!(id.starts_with("sha256:"), "{id}");
        assert_eq!(sandbox.ok(&["run", "--rm", "flat:one"]), "data");
        sandbox.ok(&["rm", "work"]);
    });
}

#[test]
fn other_tools_read_what_we_save_and_we_read_theirs() {
    if !installed("skopeo") {
        return not_run("images::other_tools_read_what_we_save_and_we_read_theirs", "skopeo is not installed");
    }
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "--rm", "workbench", "true"]);
    let at = |name: &str| sandbox.path().join(name).to_str().unwrap().to_owned();
    sandbox.ok(&["save", "-o", &at("ours.tar"), "workbench"]);
    let skopeo = |args: &[&str]| {
        let mut command = std::process::Command::new("skopeo");
        command.arg("--insecure-policy").args(args);
        sandbox.place(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "skopeo {args:?}: {output:?}");
    };
    skopeo(&[
        "copy",
        &format!("docker-archive:{}", at("ours.tar")),
        &format!("oci-archive:{}:theirs:oci", at("oci.tar")),
    ]);
    skopeo(&[
        "copy",
        &format!("docker-archive:{}", at("ours.tar")),
        &format!("docker-archive:{}:theirs:docker", at("docker.tar")),
    ]);
    // The store itself is an OCI layout that others read in place.
    skopeo(&[
        "copy",
        &format!("oci:{}:workbench:latest", sandbox.root().join("content").display()),
        &format!("dir:{}", at("dir")),
    ]);
    for (file, name) in [("oci.tar", "theirs:oci"), ("docker.tar", "theirs:docker")] {
        let loaded = sandbox.ok(&["load", "-i", &at(file)]);
        assert_eq!(loaded, format!("Loaded image: {name}"));
        assert_eq!(sandbox.ok(&["run", "--rm", name, "echo", "runs"]), "runs");
    }
}

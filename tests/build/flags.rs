//! What else one may ask for.

use crate::place::Place;
use crate::support::Sandbox;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn names_and_files_tell_which_image_it_is() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nLABEL a=b\n");
        let (id_file, metadata) = (sandbox.path().join("id"), sandbox.path().join("metadata.json"));
        let (id_file, metadata) = (id_file.to_str().unwrap(), metadata.to_str().unwrap());
        let output = place.output(&["-q", "-t", "a", "-t", "b/c:1", "--iidfile", id_file, "--metadata-file", metadata]);
        assert!(output.stderr.is_empty(), "{output:?}");
        let id = String::from_utf8(output.stdout).unwrap();
        for name in ["a", "b/c:1"] {
            assert_eq!(sandbox.ok(&["image", "inspect", "-f", "{{.Id}}", name]), id.trim());
        }
        assert_eq!(std::fs::read_to_string(id_file).unwrap(), id.trim());
        let told: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(metadata).unwrap()).unwrap();
        assert_eq!(told["containerimage.config.digest"], id.trim());
        assert_eq!(told["image.name"], "a,b/c:1");
        // A build that fails leaves no file of the one before.
        place.dockerfile("FROM workbench\nRUN false\n").fails(&["--iidfile", id_file]);
        assert!(!Path::new(id_file).exists());
    });
}

#[test]
fn what_the_commands_of_a_build_find() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile(
            "FROM workbench\nARG FROM_FLAG\nARG FROM_OUTSIDE=default\n\
             RUN echo $FROM_FLAG $FROM_OUTSIDE > /args; grep ana /etc/hosts > /hosts; ls /sys/class/net > /net\n\
             CMD cat /args /hosts /net; cat /etc/hosts\n",
        );
        let mut command = sandbox.std_command(&place.words(&[
            "-qt",
            "built",
            "--build-arg",
            "FROM_FLAG=flag",
            "--build-arg",
            "FROM_OUTSIDE",
            "--add-host",
            "ana:10.1.2.3",
            "--network",
            "none",
        ]));
        let output = command.env("FROM_OUTSIDE", "outside").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let found = sandbox.ok(&["run", "--rm", "built"]);
        assert!(found.starts_with("flag outside\n10.1.2.3\tana\nlo\n"), "{found}");
        assert_eq!(found.matches("10.1.2.3").count(), 1, "a container of the image has its own hosts: {found}");
    });
}

#[test]
fn a_secret_is_seen_by_its_command_and_by_nobody_after() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        let secret = sandbox.path().join("token");
        std::fs::write(&secret, "hunter2-in-a-file").unwrap();
        place.dockerfile(
            "FROM workbench\nRUN --mount=type=secret,id=token test $(wc -c < /run/secrets/token) = 17\n\
             RUN --mount=type=secret,id=variable,env=TOKEN test ${#TOKEN} = 21\n\
             CMD ls -A /run/secrets || echo nothing\n",
        );
        let from_file = format!("id=token,src={}", secret.display());
        let words = place.words(&["-t", "built", "--secret", &from_file, "--secret", "id=variable,env=OUTSIDE"]);
        let mut command = sandbox.std_command(&words);
        let output = command.env("OUTSIDE", "hunter2-in-a-variable").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let left = sandbox.output(&["run", "--rm", "built"]);
        assert_eq!(left.stdout, b"nothing\n");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
        std::fs::remove_file(&secret).unwrap();
        assert_eq!(files_with("hunter2", sandbox.path()), BTreeSet::new());
    });
}

/// The files beneath a folder that have this text in them.
fn files_with(text: &str, folder: &Path) -> BTreeSet<String> {
    let found = std::process::Command::new("grep").args(["-rlaF", text]).arg(folder).output().unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn what_becomes_of_the_result() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM scratch\nCOPY file /deep/\nLABEL a=b\n").file("file", "content");
        let at = |name: &str| sandbox.path().join(name).to_str().unwrap().to_owned();
        place.build(&["-o", &at("folder")]);
        assert_eq!(std::fs::read_to_string(at("folder/deep/file")).unwrap(), "content");
        let archive = place.output(&["-o", "-"]).stdout;
        let names = |archive: &[u8]| -> Vec<String> {
            let mut archive = tar::Archive::new(archive);
            let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
            entries.map(|entry| entry.path().unwrap().display().to_string()).collect()
        };
        assert_eq!(names(&archive), ["deep/", "deep/file"]);
        for kind in ["docker", "oci"] {
            let file = at(kind);
            place.build(&["-t", "packed:1", "-o", &format!("type={kind},dest={file}")]);
            assert_eq!(sandbox.output(&["images", "-q"]).stdout, b"", "the store has nothing of it");
            sandbox.ok(&["load", "-i", &file]);
            assert_eq!(sandbox.ok(&["inspect", "-f", "{{.Config.Labels.a}}", "packed:1"]), "b");
            sandbox.ok(&["rmi", "packed:1"]);
        }
        let refused = place.fails(&["-o", "type=registry"]);
        assert!(refused.contains("registries are not supported yet"), "{refused}");
    });
}

#[test]
fn two_builds_of_one_context_are_one_image() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place
            .file("a", "1")
            .file("b/c", "2")
            .dockerfile("FROM workbench\nCOPY . /x\nWORKDIR /y\nRUN echo z > /z; touch -d @1 /z /\n");
        let id = || String::from_utf8(place.output(&["-q", "--no-cache"]).stdout).unwrap();
        let first = id();
        std::fs::File::options()
            .append(true)
            .open(place.path("a"))
            .unwrap()
            .set_modified(std::time::UNIX_EPOCH)
            .unwrap();
        assert_eq!(first, id());
        place.build(&["--verify"]);
        // The time may be chosen; it is another image then.
        let mut command = sandbox.std_command(&place.words(&["-q", "-t", "dated"]));
        assert_ne!(command.env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap().stdout, first.as_bytes());
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.Created}}", "dated"]), "2023-11-14T22:13:20Z");
        assert_eq!(sandbox.ok(&["run", "--rm", "dated", "stat", "-c", "%Y", "/x/a"]), "1700000000");
        // What a command makes of the clock is its own.
        place.dockerfile("FROM workbench\nRUN cat /proc/sys/kernel/random/uuid > /now\n");
        let differs = place.fails(&["--verify"]);
        assert!(differs.contains("now"), "{differs}");
    });
}

#[test]
fn a_dockerfile_is_checked_without_being_built() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nRUN touch /never\n");
        let clean = place.output(&["--check"]);
        assert_eq!(String::from_utf8(clean.stdout).unwrap(), "Check complete, no warnings found.\n");
        place.dockerfile("FROM workbench as base\nMAINTAINER me\n");
        let found = place.output(&["--call=check"]);
        assert_eq!(found.status.code(), Some(1));
        insta::assert_snapshot!("what_checks_find", String::from_utf8(found.stdout).unwrap());
        assert_eq!(sandbox.ok(&["images", "--format", "{{.Repository}}"]), "workbench", "nothing new");
    });
}

#[test]
fn what_is_not_to_be_had_is_refused_by_name() {
    let sandbox = Sandbox::new();
    let place = Place::new(&sandbox);
    place.dockerfile("FROM workbench\n");
    for flags in [
        &["--memory", "1g"][..],
        &["--cpu-shares", "2"],
        &["--cgroup-parent", "/x"],
        &["--ulimit", "nofile=1"],
        &["--cache-from", "x"],
        &["--cache-to", "x"],
        &["--push"],
        &["--squash"],
        &["--rm=false"],
        &["--allow", "network.host"],
        &["--provenance", "true"],
        &["--call", "outline"],
        &["--platform", "linux/amd64,linux/arm64"],
        &["--platform", "linux/nonsense"],
        &["--network", "bogus"],
        &["--isolation", "hyperv"],
    ] {
        let told = place.fails(flags);
        let name = flags[0].split('=').next().unwrap().trim_start_matches('-');
        assert!(told.contains("ERROR: ") && told.contains(name), "{flags:?}: {told}");
    }
    // Those ask for what is so anyway.
    place.build(&["--rm", "--force-rm", "--provenance=false", "--sbom=false", "--load", "--isolation", "default"]);
}

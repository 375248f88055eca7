//! The way of an image: login, push, pull, run, build.

use crate::between::Line;
use crate::served::{HTPASSWD, Served, build, folder};
use crate::support::Sandbox;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

#[test]
fn an_image_goes_around() {
    Sandbox::each(|sandbox| {
        let served = Served::start(sandbox, &[]);
        let name = format!("{}/folders/name:v1", served.host);
        sandbox.ok(&["tag", "workbench", &name]);
        let pushed = sandbox.ok(&["push", &name]);
        let lines: Vec<&str> = pushed.lines().collect();
        assert_eq!(lines[0], format!("The push refers to repository [{}/folders/name]", served.host));
        assert!(lines[1].ends_with(": Preparing") && lines[2].ends_with(": Pushed"), "{pushed}");
        let digest = lines[3].strip_prefix("v1: digest: ").and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(sandbox.ok(&["push", &name]).contains(": Layer already exists"));
        let other = format!("{}/other", served.host);
        sandbox.ok(&["tag", "workbench", &other]);
        assert!(sandbox.ok(&["push", &other]).contains(": Mounted from folders/name"));
        assert_eq!(sandbox.ok(&["push", "-q", &other]), format!("{other}:latest"));

        sandbox.ok(&["rmi", "-f", &name, &other, "workbench"]);
        assert_eq!(sandbox.ok(&["images", "-q"]), "");
        let pulled = sandbox.ok(&["pull", &name]);
        let short = pulled.lines().nth(1).unwrap().split(':').next().unwrap().to_owned();
        let expected = format!(
            "v1: Pulling from folders/name\n{short}: Pulling fs layer\n{short}: Verifying Checksum\n{short}: Download complete\n\
             {short}: Pull complete\nDigest: {digest}\nStatus: Downloaded newer image for {name}\n{name}"
        );
        assert_eq!(pulled, expected);
        let again = sandbox.ok(&["pull", &name]);
        assert!(again.contains(&format!("Status: Image is up to date for {name}")), "{again}");
        assert_eq!(sandbox.ok(&["pull", "-q", &name]), name);
        assert_eq!(sandbox.ok(&["images", "--digests", "--format", "{{.Digest}}"]), digest);
        let by_digest = format!("{}/folders/name@{digest}", served.host);
        assert_eq!(sandbox.ok(&["run", "--rm", &by_digest, "echo", "by digest"]), "by digest");
        assert!(sandbox.ok(&["pull", "-a", &other]).contains("latest: Pulling from other"));
    });
}

#[test]
fn run_and_build_pull_what_is_missing() {
    Sandbox::each(|sandbox| {
        let served = Served::start(sandbox, &[]);
        let (base, app) = (format!("{}/base", served.host), format!("{}/app:v1", served.host));
        sandbox.ok(&["tag", "workbench", &base]);
        sandbox.ok(&["push", "-q", &base]);
        sandbox.ok(&["rmi", "-f", &base, "workbench"]);
        let never = sandbox.fails(125, &["run", "--rm", "--pull", "never", &base, "true"]);
        assert!(never.contains(&format!("No such image: {base}:latest")), "{never}");
        let run = sandbox.output(&["run", "--rm", &base, "echo", "hello"]);
        assert_eq!(String::from_utf8_lossy(&run.stdout), "hello\n", "what is told of the pull is not the container's");
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(
            told.starts_with(&format!("Unable to find image '{base}:latest' locally\nlatest: Pulling from base\n")),
            "{told}"
        );
        let always = sandbox.output(&["run", "--rm", "--pull", "always", &base, "true"]);
        assert!(String::from_utf8_lossy(&always.stderr).contains("Status: Image is up to date for"), "{always:?}");
        let quiet = sandbox.output(&["run", "--rm", "--pull", "always", "-q", &base, "true"]);
        assert!(quiet.stderr.is_empty(), "{quiet:?}");

        sandbox.ok(&["rmi", &base]);
        let context = sandbox.path().join("context");
        fs::create_dir_all(&context).unwrap();
        fs::write(context.join("Dockerfile"), format!("FROM {base}\nRUN echo built > /x\n")).unwrap();
        let context = context.display().to_string();
        sandbox.ok(&["build", "-t", &app, &context]);
        sandbox.ok(&["build", "--pull", "-t", &app, &context]);
        sandbox.ok(&["push", "-q", &app]);
        sandbox.ok(&["rmi", "-f", &app, &base]);
        assert_eq!(sandbox.ok(&["run", "--rm", &app, "cat", "/x"]), "built");
        let nothing = sandbox.fails(1, &["pull", &format!("{}/none", served.host)]);
        let expected =
            format!("repository {}/none not found: name unknown: repository name not known to registry\n", served.host);
        assert_eq!(nothing, format!("Error response from daemon: {expected}"));
    });
}

#[test]
fn only_who_logs_in_may_push() {
    Sandbox::each(|sandbox| {
        let users = sandbox.path().join("htpasswd");
        fs::write(&users, HTPASSWD).unwrap();
        let served = Served::start(sandbox, &["--htpasswd", &users.display().to_string()]);
        let name = format!("{}/app:v1", served.host);
        sandbox.ok(&["tag", "workbench", &name]);
        assert!(sandbox.fails(1, &["push", &name]).contains("no basic auth credentials"));
        let login = |password: &str| {
            let mut command = sandbox.std_command(&["login", "-u", "ana", "--password-stdin", &served.host]);
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        };
        let wrong = login("wrong");
        let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
        let expected = format!("login attempt to http://{}/v2/ failed with status: 401 Unauthorized", served.host);
        assert!(!wrong.status.success() && told.contains(&expected), "{told}");
        let right = login("secret");
        assert_eq!(String::from_utf8_lossy(&right.stdout), "Login Succeeded\n");
        assert!(String::from_utf8_lossy(&right.stderr).contains("stored unencrypted"), "{right:?}");
        let file = sandbox.path().join(".docker/config.json");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        sandbox.ok(&["push", "-q", &name]);
        let known = sandbox.output(&["login", &served.host]);
        assert!(String::from_utf8_lossy(&known.stderr).contains("[Username: ana]"), "{known:?}");
        sandbox.ok(&["rmi", "-f", &name]);
        sandbox.ok(&["run", "--rm", &name, "true"]);
        let said = sandbox.ok(&["logout", &served.host]);
        assert_eq!(said, format!("Removing login credentials for {}", served.host));
        assert!(sandbox.fails(1, &["pull", &name]).contains("no basic auth credentials"));
        let unsafely = sandbox.output(&["login", "-u", "ana", "-p", "secret", &served.host]);
        assert!(
            String::from_utf8_lossy(&unsafely.stderr).contains("--password via the CLI is insecure"),
            "{unsafely:?}"
        );
        assert!(sandbox.fails(1, &["login", "-u", "ana", &served.host]).contains("non TTY device"));
    });
}

#[test]
fn twenty_machines_pull_through_a_mirror() {
    let sandbox = Sandbox::new();
    let origin = Served::start(&sandbox, &[]);
    let name = format!("{}/library/app", origin.host);
    build(&sandbox, &name, 1 << 20);
    sandbox.ok(&["push", "-q", &name]);
    let line = Line::to(&origin.host, false);
    let place = Sandbox::new();
    let mirror = Served::start(&place, &["--mirror", &format!("http://{}", line.host)]);

    let machines: Vec<Sandbox> = (0..20).map(|_| Sandbox::new()).collect();
    for machine in &machines {
        fs::create_dir_all(machine.root()).unwrap();
        let settings = format!(r#"{{"registry-mirrors":["http://{}"]}}"#, mirror.host);
        fs::write(machine.root().join("daemon.json"), settings).unwrap();
    }
    std::thread::scope(|scope| {
        for machine in &machines {
            scope.spawn(|| machine.ok(&["pull", "-q", "app"]));
        }
    });
    // The config and the layers: of the workbench, and of the build.
    assert_eq!(line.blobs(), 3, "each blob was fetched once");
    drop(line);
    drop(origin);
    let late = &machines[0];
    late.ok(&["rmi", "app"]);
    assert_eq!(late.ok(&["run", "--rm", "--network", "none", "app", "echo", "still there"]), "still there");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let sandbox = Sandbox::new();
    assert!(sandbox.fails(1, &["pull", "-a", "app:v1"]).contains("tag can't be used with --all-tags/-a"));
    assert!(sandbox.fails(1, &["pull", "App"]).contains("must be lowercase"));
    assert!(
        sandbox
            .fails(1, &["push", "nothing-here"])
            .contains("An image does not exist locally with the tag: nothing-here")
    );
    assert!(sandbox.fails(1, &["search", "alpine"]).contains("registries have no search"));
    assert!(sandbox.fails(1, &["registry", "serve", "--tls-cert", "x"]).contains("are given together"));
    assert!(sandbox.fails(1, &["registry", "serve", "--mirror", "mirror"]).contains("write it as https://"));
    let served = Served::start(&sandbox, &["--read-only"]);
    sandbox.ok(&["tag", "workbench", &format!("{}/app", served.host)]);
    assert!(sandbox.fails(1, &["push", &format!("{}/app", served.host)]).contains("this registry is read-only"));
    let root = folder(&sandbox).display().to_string();
    let second = sandbox.fails(1, &["registry", "serve", "--addr", "127.0.0.1:0", "--root", &root]);
    assert!(second.contains("another registry serves this folder"), "{second}");
}

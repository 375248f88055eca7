//! `kesako compose`, on the built binary. What files mean is tried by chapter 8's own suites; here is what a user types and sees.
//! None of it needs an engine yet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assert_cmd::Command;
use std::path::PathBuf;

/// A folder with two services, of which one has a profile.
struct Shop(tempfile::TempDir);

const FILE: &str = "\
services:
  web:
    build: .
    depends_on: [db]
    ports: ['8080:80']
    environment: {GREETING: 'hello $WHO'}
  db:
    image: postgres:${TAG:-16}
    volumes: ['data:/var/lib/postgresql']
  debug: {image: workbench, profiles: [debug]}
volumes: {data: }
";

impl Shop {
    fn new() -> Self {
        let shop = Self(tempfile::Builder::new().prefix("kesako-compose-").tempdir().unwrap());
        std::fs::create_dir_all(shop.folder().join("deep")).unwrap();
        shop.with("compose.yaml", FILE)
    }

    fn with(self, path: &str, text: &str) -> Self {
        std::fs::write(self.folder().join(path), text).unwrap();
        self
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("My Shop")
    }

    fn kesako(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kesako"));
        command.current_dir(self.folder()).env_clear().env("KESAKO_ROOT", self.0.path().join("root"));
        command.env("HOME", self.0.path()).env("PATH", "/usr/bin:/bin").arg("compose").args(line.split_whitespace());
        command
    }

    fn ok(&self, line: &str) -> String {
        let output = self.kesako(line).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "compose {line}: {told}");
        String::from_utf8(output.stdout).unwrap().replace(self.0.path().to_str().unwrap(), "")
    }

    fn fails(&self, code: i32, line: &str) -> String {
        let output = self.kesako(line).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "compose {line}");
        assert_eq!(output.stdout, b"", "compose {line}");
        String::from_utf8(output.stderr).unwrap().replace(self.0.path().to_str().unwrap(), "")
    }
}

#[test]
fn config_writes_the_one_model() {
    let shop = Shop::new();
    insta::assert_snapshot!(shop.ok("config"), @r#"
    name: myshop
    services:
      db:
        image: postgres:16
        networks:
          default: null
        volumes:
          - type: volume
            source: data
            target: /var/lib/postgresql
            volume: {}
      web:
        build:
          context: /My Shop
          dockerfile: Dockerfile
        depends_on:
          db:
            condition: service_started
            required: true
        environment:
          GREETING: 'hello '
        networks:
          default: null
        ports:
          - mode: ingress
            target: 80
            published: "8080"
            protocol: tcp
    networks:
      default:
        name: myshop_default
    volumes:
      data:
        name: myshop_data
    "#);
    let json: serde_json::Value = serde_json::from_str(&shop.ok("config --format json")).unwrap();
    assert_eq!(json["services"]["db"]["image"], "postgres:16");
    assert!(shop.fails(1, "config --format toml").contains("unsupported format \"toml\""));
}

#[test]
fn config_lists_parts() {
    let shop = Shop::new();
    assert_eq!(shop.ok("config --services"), "db\nweb\n", "who is waited for comes first");
    assert_eq!(shop.ok("--profile debug config --services"), "db\ndebug\nweb\n");
    assert_eq!(shop.ok("config --volumes"), "data\n");
    assert_eq!(shop.ok("config --networks"), "default\n");
    assert_eq!(shop.ok("config --profiles"), "debug\n");
    assert_eq!(shop.ok("config --images"), "postgres:16\nmyshop-web\n");
    assert_eq!(shop.ok("config --images db"), "postgres:16\n");
    assert_eq!(shop.ok("-p other config --images web"), "postgres:16\nother-web\n", "web needs db");
    assert_eq!(shop.ok("--project other config --images web"), "postgres:16\nother-web\n", "as the lesson writes it");
    assert!(shop.ok("config --environment").lines().any(|line| line == "COMPOSE_PROJECT_NAME=myshop"));
}

#[test]
fn a_hash_changes_with_its_own_service_only() {
    let shop = Shop::new();
    let hashes = shop.ok("config --hash *");
    let lines: Vec<_> = hashes.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("db ") && lines[1].starts_with("web "), "{hashes}");
    assert!(lines.iter().all(|line| line.split(' ').nth(1).is_some_and(|hash| hash.len() == 64)), "{hashes}");
    assert_eq!(shop.ok("config --hash web"), format!("{}\n", lines[1]));
    let shop = shop.with(".env", "TAG=17\n");
    let other = shop.ok("config --hash db,web");
    assert_eq!(other.lines().nth(1), Some(lines[1]));
    assert_ne!(other.lines().next(), Some(lines[0]));
}

#[test]
fn what_is_quiet_only_looks_and_a_file_can_be_written() {
    let shop = Shop::new();
    assert_eq!(shop.ok("config -q"), "");
    assert_eq!(shop.ok("config -o out.yaml"), "");
    let written = std::fs::read_to_string(shop.folder().join("out.yaml")).unwrap();
    assert!(written.starts_with("name: myshop\n"), "{written}");
    assert_eq!(shop.ok("-f out.yaml config"), shop.ok("config"), "what was written is read as the same");
}

#[test]
fn the_file_is_found_above_and_read_from_standard_input() {
    let shop = Shop::new();
    let above = shop.kesako("config").current_dir(shop.folder().join("deep")).output().unwrap();
    assert_eq!(above.stdout, shop.kesako("config").output().unwrap().stdout);
    let piped = shop.kesako("-f - config --images").write_stdin("services: {a: {image: piped}}").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&piped.stdout), "piped\n");
}

#[test]
fn what_is_no_error_is_told_on_standard_error_once() {
    let shop = Shop::new().with("old.yaml", "version: '3'\nservices: {a: {image: 'i$X', hostname: 'h$X'}}\n");
    let output = shop.kesako("-f old.yaml config -q").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).replace(shop.0.path().to_str().unwrap(), "");
    insta::assert_snapshot!(told, @r#"
    WARNING: The "X" variable is not set. Defaulting to a blank string.
    WARNING: /My Shop/old.yaml: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion
    "#);
    assert!(output.status.success());
}

#[test]
fn a_mistake_is_told_with_its_place_and_ends_with_1() {
    let shop = Shop::new().with("bad.yaml", "services:\n  web:\n    image: i\n    prots: ['80']\n");
    insta::assert_snapshot!(shop.fails(1, "-f bad.yaml config"), @"/My Shop/bad.yaml:4: services.web: additional properties 'prots' not allowed; did you mean `ports`?");
    insta::assert_snapshot!(shop.fails(1, "-f none.yaml config"), @"open /My Shop/none.yaml: no such file or directory");
    insta::assert_snapshot!(shop.fails(1, "config nobody"), @r#"
    WARNING: The "WHO" variable is not set. Defaulting to a blank string.
    no such service: nobody
    "#);
    insta::assert_snapshot!(shop.fails(1, "-p No! config"), @r#"invalid project name "No!": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number"#);
    insta::assert_snapshot!(shop.fails(1, "--env-file none.env config"), @"--env-file: couldn't find env file: /My Shop/none.env");
    std::fs::remove_file(shop.folder().join("compose.yaml")).unwrap();
    insta::assert_snapshot!(shop.fails(1, "config"), @"no configuration file provided: not found");
}

#[test]
fn what_there_is_and_what_not() {
    let shop = Shop::new();
    assert!(shop.fails(1, "publish").starts_with("kesako: unknown command: kesako compose publish\n"));
    assert!(shop.fails(125, "--dry-run config").starts_with("unknown flag: --dry-run\n"));
    assert!(shop.fails(125, "config --variables").starts_with("unknown flag: --variables\n"));
    insta::assert_snapshot!(shop.fails(0, ""), @r#"
    Usage:  kesako compose [OPTIONS] COMMAND

    Define and run multi-container applications

    Options:
          --all-resources              Include all resources, even those not
                                       used by services
          --ansi string                Control when to print ANSI control
                                       characters ("never"|"always"|"auto")
                                       (default "auto")
          --env-file stringArray       Specify an alternate environment file
      -f, --file stringArray           Compose configuration files
          --profile stringArray        Specify a profile to enable
          --progress string            Set type of progress output (auto,
                                       tty, plain, json, quiet)
          --project-directory string   Specify an alternate working directory
                                       (default: the path of the, first
                                       specified, Compose file)
      -p, --project-name string        Project name

    Commands:
      attach      Attach local standard input, output, and error streams to a service's running container
      build       Build or rebuild services
      commit      Create a new image from a service container's changes
      config      Parse, resolve and render compose file in canonical format
      cp          Copy files/folders between a service container and the local filesystem
      create      Creates containers for a service
      down        Stop and remove containers, networks
      events      Receive real time events from containers
      exec        Execute a command in a running container
      export      Export a service container's filesystem as a tar archive
      images      List images used by the created containers
      kill        Force stop service containers
      logs        View output from containers
      ls          List running compose projects
      pause       Pause services
      port        Print the public port for a port binding
      ps          List containers
      pull        Pull service images
      push        Push service images
      restart     Restart service containers
      rm          Removes stopped service containers
      run         Run a one-off command on a service
      scale       Scale services
      start       Start services
      stats       Display a live stream of container(s) resource usage statistics
      stop        Stop services
      top         Display the running processes
      unpause     Unpause services
      up          Create and start containers
      version     Show the Docker Compose version information
      volumes     List volumes
      wait        Block until containers of all (or specified) services stop.
      watch       Watch build context for service and rebuild/refresh containers when files are updated

    Run 'kesako compose COMMAND --help' for more information on a command.
    "#);
    assert_eq!(shop.ok("--help"), shop.fails(0, ""), "asked for, it is on standard output");
    insta::assert_snapshot!(shop.ok("config --help"), @r"
    Usage:  kesako compose config [OPTIONS] [SERVICE...]

    Parse, resolve and render compose file in canonical format

    Options:
          --environment          Print environment used for interpolation
          --format string        Format the output. Values: [yaml | json]
          --hash string          Print the service config hash, one per line
          --images               Print the image names, one per line
          --networks             Print the network names, one per line
          --no-consistency       Don't check model consistency - warning: may
                                 produce invalid Compose output
          --no-env-resolution    Don't resolve service env files
          --no-interpolate       Don't interpolate environment variables
          --no-normalize         Don't normalize compose model
          --no-path-resolution   Don't resolve file paths
      -o, --output string        Save to file (default to stdout)
          --profiles             Print the profile names, one per line
      -q, --quiet                Only validate the configuration, don't print
                                 anything
          --services             Print the service names, one per line
          --volumes              Print the volume names, one per line
    ");
}

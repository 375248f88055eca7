//! `kesako compose up` and `down`: from whatever is there to what the file says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{Sandbox, eventually, is_root};

/// A project in a folder of its own.
struct Project<'a> {
    sandbox: &'a Sandbox,
    file: PathBuf,
}

impl<'a> Project<'a> {
    fn new(sandbox: &'a Sandbox, file: &str) -> Self {
        // This thread, and what it starts, gets a network of its own: nothing is left in the machine's.
        if is_root() {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        }
        let folder = sandbox.path().join("shop");
        fs::create_dir_all(&folder).unwrap();
        let project = Self { sandbox, file: folder.join("compose.yaml") };
        project.write(file);
        project
    }

    fn write(&self, file: &str) {
        fs::write(&self.file, file).unwrap();
    }

    fn words<'w>(&'w self, line: &'w str) -> Vec<&'w str> {
        ["compose", "-f", self.file.to_str().unwrap()].into_iter().chain(line.split_whitespace()).collect()
    }

    fn ok(&self, line: &str) -> String {
        self.sandbox.ok(&self.words(line))
    }

    /// What it tells, which goes to standard error.
    fn told(&self, line: &str) -> String {
        let output = self.sandbox.output(&self.words(line));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{line}: {told}");
        told
    }

    fn fails(&self, code: i32, line: &str) -> String {
        self.sandbox.fails(code, &self.words(line)).trim_end().to_owned()
    }

    /// `NAME STATE` of all containers, sorted.
    fn states(&self) -> Vec<String> {
        let listed = self.sandbox.ok(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
        let mut states: Vec<String> = listed.lines().map(str::to_owned).collect();
        states.sort();
        states
    }

    fn id(&self, name: &str) -> String {
        self.sandbox.ok(&["inspect", "-f", "{{.Id}}", name])
    }

    fn inspect(&self, name: &str, format: &str) -> String {
        self.sandbox.ok(&["inspect", "-f", format, name])
    }

    /// In the foreground, its output in a pipe.
    fn begin(&self, line: &str) -> Child {
        let mut command = self.sandbox.std_command(&self.words(line));
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn nothing_is_left(&self) {
        assert_eq!(self.states(), Vec::<String>::new());
        assert_eq!(self.sandbox.ok(&["network", "ls", "-q", "--filter", "label=com.docker.compose.project"]), "");
        assert_eq!(self.sandbox.ok(&["volume", "ls", "-q"]), "");
    }
}

/// Ends at once when it is told to.
const SLEEP: &str = "image: workbench, command: sleep 1000, stop_signal: SIGKILL";

#[test]
fn what_fits_stays_and_what_does_not_is_made_anew() {
    Sandbox::each(|sandbox| {
        let file = |web: &str| format!("services:\n  web: {{{SLEEP}, {web}}}\n  db: {{{SLEEP}}}\n");
        let project = Project::new(sandbox, &file("environment: {A: '1'}"));
        let told = project.told("up -d");
        for line in ["Network shop_default Created", "Container shop-web-1 Created", "Container shop-web-1 Started"] {
            assert!(told.contains(line), "{told}");
        }
        assert_eq!(project.states(), ["shop-db-1 running", "shop-web-1 running"]);
        let (web, db) = (project.id("shop-web-1"), project.id("shop-db-1"));
        let told = project.told("up -d");
        assert_eq!(told.lines().collect::<Vec<_>>(), [" Container shop-db-1 Running", " Container shop-web-1 Running"]);
        assert_eq!((project.id("shop-web-1"), project.id("shop-db-1")), (web.clone(), db.clone()));

        project.write(&file("environment: {A: '2'}"));
        assert!(project.told("up -d --no-recreate").contains("Container shop-web-1 Running"));
        assert_eq!(project.id("shop-web-1"), web);
        assert!(project.told("up -d").contains("Container shop-web-1 Recreated"));
        assert_ne!(project.id("shop-web-1"), web);
        assert_eq!(project.id("shop-db-1"), db);
        assert!(project.inspect("shop-web-1", "{{.Config.Env}}").contains("A=2"));
        project.told("up -d --force-recreate db");
        assert_ne!(project.id("shop-db-1"), db);
        project.told("down");
        project.nothing_is_left();
        assert!(project.told("down").contains("No resource found to remove for project \"shop\""));
    });
}

#[test]
fn as_many_as_are_wanted() {
    Sandbox::each(|sandbox| {
        let project = Project::new(sandbox, &format!("services:\n  web: {{{SLEEP}, scale: 2}}\n"));
        project.told("up -d");
        assert_eq!(project.states(), ["shop-web-1 running", "shop-web-2 running"]);
        let first = project.id("shop-web-1");
        project.told("up -d --scale web=3");
        project.told("scale web=1");
        assert_eq!(project.states(), ["shop-web-1 running"]);
        assert_eq!(project.id("shop-web-1"), first, "the first one stays longest");
        assert_eq!(project.fails(1, "up -d --scale web"), "invalid --scale option \"web\". Should be SERVICE=NUM");
        assert_eq!(project.fails(1, "up -d --scale cache=2"), "no such service: cache");
        project.told("up -d --scale web=0");
        assert_eq!(project.states(), Vec::<String>::new());
        project.told("down");
        project.nothing_is_left();
    });
}

#[test]
fn who_waits_is_started_when_the_others_are_ready() {
    Sandbox::each(|sandbox| {
        let file = format!(
            "services:
  web:
    {{{SLEEP}, depends_on: {{db: {{condition: service_healthy}}, migrate: {{condition: service_completed_successfully}}}}}}
  migrate: {{image: workbench, command: 'true'}}
  db: {{{SLEEP}, healthcheck: {{test: test -e /ready, interval: 20ms, start_period: 1h}}}}
"
        );
        let project = Project::new(sandbox, &file);
        let mut up = project.begin("up -d");
        eventually("db runs", || project.states().contains(&"shop-db-1 running".to_owned()));
        assert!(project.states().contains(&"shop-web-1 created".to_owned()), "{:?}", project.states());
        sandbox.ok(&["exec", "shop-db-1", "touch", "/ready"]);
        assert!(up.wait().unwrap().success());
        assert_eq!(project.states(), ["shop-db-1 running", "shop-migrate-1 exited", "shop-web-1 running"]);
        let stopped = project.told("stop");
        let place = |line: &str| stopped.find(line).unwrap_or_else(|| panic!("{line}: {stopped}"));
        assert!(place("shop-web-1 Stopped") < place("shop-db-1 Stopping"), "who waits goes first");
        project.told("down -t 0");
        project.nothing_is_left();
    });
}

#[test]
fn a_failure_in_the_middle_is_gone_on_from() {
    Sandbox::each(|sandbox| {
        let file = |command: &str| {
            format!(
                "services:
  web: {{{SLEEP}, depends_on: {{migrate: {{condition: service_completed_successfully}}}}}}
  migrate: {{image: workbench, command: {command}}}
  other: {{{SLEEP}}}
"
            )
        };
        let project = Project::new(sandbox, &file("sh -c 'exit 3'"));
        let told = project.fails(1, "up -d");
        assert!(told.ends_with("service \"migrate\" didn't complete successfully: exit 3"), "{told}");
        assert_eq!(project.states(), ["shop-migrate-1 exited", "shop-other-1 running", "shop-web-1 created"]);
        let other = project.id("shop-other-1");
        project.write(&file("'true'"));
        project.told("up -d");
        assert_eq!(project.states(), ["shop-migrate-1 exited", "shop-other-1 running", "shop-web-1 running"]);
        assert_eq!(project.id("shop-other-1"), other);
        project.write(&file("[there-is-no-such-command]"));
        let told = project.fails(1, "up -d");
        assert!(told.contains("there-is-no-such-command"), "{told}");
        project.told("down");
        project.nothing_is_left();
    });
}

#[test]
fn a_sick_one_fails_those_who_wait_and_wait_says_so() {
    Sandbox::each(|sandbox| {
        let check = "healthcheck: {test: 'false', interval: 10ms, retries: 2}";
        let file = format!(
            "services:\n  web: {{{SLEEP}, depends_on: {{db: {{condition: service_healthy}}}}}}\n  db: {{{SLEEP}, {check}}}\n"
        );
        let project = Project::new(sandbox, &file);
        let told = project.fails(1, "up -d");
        assert!(told.ends_with("dependency failed to start: container shop-db-1 is unhealthy"), "{told}");
        assert!(project.states().contains(&"shop-web-1 created".to_owned()));
        project.told("down");

        project.write(&format!("services:\n  db: {{{SLEEP}, {check}}}\n"));
        assert!(project.fails(1, "up --wait").ends_with("container shop-db-1 is unhealthy"));
        project.write(&format!(
            "services:\n  db: {{{SLEEP}, healthcheck: {{test: 'false', interval: 10ms, start_period: 1h}}}}\n"
        ));
        let told = project.fails(1, "up --wait --wait-timeout 1");
        assert!(told.ends_with("application not healthy after 1s"), "{told}");
        project.told("down");
        project.nothing_is_left();
    });
}

#[test]
fn in_the_foreground_everybody_is_heard_until_the_last_has_ended() {
    Sandbox::each(|sandbox| {
        let say = |text: &str| format!("{{image: workbench, command: echo {text}}}");
        let project = Project::new(sandbox, &format!("services:\n  a: {}\n  bee: {}\n", say("hello"), say("buzz")));
        let mut lines: Vec<String> = project.ok("up").lines().map(str::to_owned).collect();
        lines.sort();
        let said = ["a-1    | hello", "a-1 exited with code 0", "bee-1  | buzz", "bee-1 exited with code 0"];
        assert_eq!(lines, [&["Attaching to a-1, bee-1"], &said[..]].concat());
        // The same containers run again.
        assert_eq!(project.ok("up --no-log-prefix a"), "Attaching to a-1\nhello\na-1 exited with code 0");
        assert_eq!(project.ok("up --no-attach a"), "Attaching to bee-1\nbee-1  | buzz\nbee-1 exited with code 0");
        project.told("down");
        project.nothing_is_left();
    });
}

#[test]
fn the_code_of_one_is_the_code_of_all() {
    Sandbox::each(|sandbox| {
        let file = format!("services:\n  test: {{image: workbench, command: sh -c 'exit 7'}}\n  db: {{{SLEEP}}}\n");
        let project = Project::new(sandbox, &file);
        let output = sandbox.output(&project.words("up --exit-code-from test"));
        assert_eq!(output.status.code(), Some(7));
        assert_eq!(project.states(), ["shop-db-1 exited", "shop-test-1 exited"]);
        assert_eq!(sandbox.output(&project.words("up --abort-on-container-exit")).status.code(), Some(7));
        assert_eq!(sandbox.output(&project.words("up --abort-on-container-failure")).status.code(), Some(7));
        project.told("down");
        let refused = project.fails(1, "up -d --abort-on-container-exit");
        assert!(refused.starts_with("--detach cannot be combined with --abort-on-container-exit"), "{refused}");
        project.nothing_is_left();
    });
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
}

#[test]
fn one_interrupt_stops_and_two_kill() {
    Sandbox::each(|sandbox| {
        // The first one ends when it is asked to, the second one does not.
        let polite = "image: workbench, command: [sh, -c, 'trap \"echo bye; exit 0\" TERM; echo here; while :; do sleep 0.02; done']";
        let deaf =
            "image: workbench, command: [sh, -c, 'trap \"\" TERM; echo here; sleep 1000'], stop_grace_period: 1h";
        let project = Project::new(sandbox, &format!("services:\n  a: {{{polite}}}\n"));
        let here = |service: &str| sandbox.ok(&["logs", &format!("shop-{service}-1")]).contains("here");
        let running = |service: &str| project.states().contains(&format!("shop-{service}-1 running"));
        let mut up = project.begin("up");
        eventually("a is there", || running("a") && here("a"));
        interrupt(&up);
        let mut shown = String::new();
        up.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
        assert_eq!(up.wait().unwrap().code(), Some(130));
        let heard = "Attaching to a-1\na-1  | here\na-1  | bye\na-1 exited with code 0\n";
        assert_eq!(shown, heard, "its last words are heard");
        assert_eq!(project.states(), ["shop-a-1 exited"]);

        project.write(&format!("services:\n  a: {{{deaf}}}\n"));
        let mut up = project.begin("up");
        eventually("a is there", || running("a") && here("a"));
        let begun = Instant::now();
        interrupt(&up);
        std::thread::sleep(Duration::from_millis(200));
        assert!(up.try_wait().unwrap().is_none(), "it waits for a");
        interrupt(&up);
        assert_eq!(up.wait().unwrap().code(), Some(130));
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert_eq!(project.states(), ["shop-a-1 exited"]);
        project.told("down");
        project.nothing_is_left();
    });
}

#[test]
fn killed_anywhere_the_next_one_goes_on() {
    let rounds = std::env::var("KESAKO_ROUNDS").map_or(6, |rounds| rounds.parse().unwrap());
    Sandbox::each(|sandbox| {
        let file = |round: u32| {
            let service =
                |name: &str, more: &str| format!("  {name}: {{{SLEEP}, environment: {{ROUND: '{round}'}}{more}}}\n");
            let web = service("web", ", scale: 2, depends_on: [db], volumes: ['data:/data', /anonymous]");
            let db = service("db", ", secrets: [word]");
            format!("services:\n{web}{db}volumes: {{data: }}\nsecrets: {{word: {{environment: HOME}}}}\n")
        };
        let project = Project::new(sandbox, &file(0));
        let begun = Instant::now();
        project.told("up -d");
        let whole = begun.elapsed();
        for round in 0..rounds {
            if round % 3 == 2 {
                project.told("down -v");
            }
            project.write(&file(round));
            let mut up = project.begin("up -d");
            std::thread::sleep(whole.mul_f64(f64::from(round * 7 % 11 + 1) / 11.0));
            up.kill().unwrap();
            up.wait().unwrap();
            project.told("up -d");
            assert_eq!(
                project.states(),
                ["shop-db-1 running", "shop-web-1 running", "shop-web-2 running"],
                "round {round}"
            );
            for name in ["shop-db-1", "shop-web-1", "shop-web-2"] {
                let environment = project.inspect(name, "{{.Config.Env}}");
                assert!(environment.contains(&format!("ROUND={round}")), "round {round}: {name}: {environment}");
            }
            assert_ne!(sandbox.ok(&["exec", "shop-db-1", "cat", "/run/secrets/word"]), "", "round {round}");
        }
        let mut down = project.begin("down -v");
        std::thread::sleep(Duration::from_millis(30));
        down.kill().unwrap();
        down.wait().unwrap();
        project.told("down -v");
        project.nothing_is_left();
    });
}

#[test]
fn data_outlives_its_container() {
    Sandbox::each(|sandbox| {
        let file = |label: &str| {
            format!(
                "services:\n  db: {{{SLEEP}, volumes: ['data:/data', /anonymous], labels: {{l: '{label}'}}}}\nvolumes: {{data: }}\n"
            )
        };
        let project = Project::new(sandbox, &file("1"));
        project.told("up -d");
        sandbox.ok(&["exec", "shop-db-1", "sh", "-c", "echo named > /data/x; echo anonymous > /anonymous/x"]);
        let read = || sandbox.ok(&["exec", "shop-db-1", "sh", "-c", "cat /data/x /anonymous/x 2>/dev/null || true"]);
        project.write(&file("2"));
        project.told("up -d");
        assert_eq!(project.inspect("shop-db-1", "{{.Config.Labels.l}}"), "2");
        assert_eq!(read(), "named\nanonymous");
        project.told("up -d -V --force-recreate");
        assert_eq!(read(), "named", "-V begins with an empty one");
        project.told("down");
        assert_eq!(sandbox.ok(&["volume", "ls", "-q", "--filter", "name=shop_data"]), "shop_data");
        project.told("up -d");
        assert_eq!(read(), "named");
        project.told("down -v");
        let left = sandbox.ok(&["volume", "ls", "-q"]);
        assert!(!left.contains("shop_data"), "{left}");
        sandbox.ok(&["volume", "prune", "-af"]);
        project.nothing_is_left();
    });
}

#[test]
fn networks_and_volumes_follow_the_file() {
    Sandbox::each(|sandbox| {
        let file = |network: &str, volume: &str| {
            format!(
                "services:\n  db: {{{SLEEP}, volumes: ['data:/data']}}\nnetworks: {{default: {{{network}}}}}\nvolumes: {{data: {{{volume}}}}}\n"
            )
        };
        let project = Project::new(sandbox, &file("", ""));
        project.told("up -d");
        sandbox.ok(&["exec", "shop-db-1", "touch", "/data/x"]);
        project.write(&file("internal: true", ""));
        project.told("up -d");
        assert_eq!(sandbox.ok(&["network", "inspect", "-f", "{{.Internal}}", "shop_default"]), "true");
        assert_eq!(project.states(), ["shop-db-1 running"]);
        assert_eq!(sandbox.ok(&["exec", "shop-db-1", "ls", "/data"]), "x");
        // Nobody says yes: the data stays.
        project.write(&file("internal: true", "labels: {a: b}"));
        project.ok("up -d");
        assert_eq!(sandbox.ok(&["exec", "shop-db-1", "ls", "/data"]), "x");
        project.told("up -d -y");
        assert_eq!(sandbox.ok(&["exec", "shop-db-1", "ls", "/data"]), "");
        project.told("down -v");
        project.nothing_is_left();

        project.write("services: {db: {image: workbench, networks: [there]}}\nnetworks: {there: {external: true}}\n");
        assert!(project.fails(1, "up -d").ends_with("network there declared as external, but could not be found"));
        project
            .write("services: {db: {image: workbench, volumes: ['there:/x']}}\nvolumes: {there: {external: true}}\n");
        assert!(project.fails(1, "up -d").ends_with("external volume \"there\" not found"));
        assert_eq!(project.states(), Vec::<String>::new());
        project.told("down");
    });
}

#[test]
fn who_is_in_no_file_any_more_is_told_and_removed_when_that_is_wanted() {
    Sandbox::each(|sandbox| {
        let one = format!("services:\n  a: {{{SLEEP}}}\n");
        let project = Project::new(sandbox, &format!("{one}  b: {{{SLEEP}}}\n"));
        project.told("up -d");
        project.write(&one);
        let told = project.told("up -d");
        assert!(told.contains("Found orphan containers ([shop-b-1]) for this project."), "{told}");
        assert_eq!(project.states(), ["shop-a-1 running", "shop-b-1 running"]);
        project.told("up -d --remove-orphans");
        assert_eq!(project.states(), ["shop-a-1 running"]);
        // A project is known by its name, without its file.
        sandbox.ok(&["compose", "-p", "shop", "down"]);
        project.nothing_is_left();
    });
}

#[test]
fn namespaces_of_another_service_are_those_it_has_now() {
    Sandbox::each(|sandbox| {
        let file = |label: &str| {
            format!(
                "services:\n  db: {{{SLEEP}, labels: {{l: '{label}'}}}}\n  side: {{{SLEEP}, network_mode: 'service:db'}}\n"
            )
        };
        let project = Project::new(sandbox, &file("1"));
        project.told("up -d");
        let shares = || project.inspect("shop-side-1", "{{.HostConfig.NetworkMode}}");
        let inode = |name: &str| sandbox.ok(&["exec", name, "readlink", "/proc/self/ns/net"]);
        assert!(shares().starts_with("container:"));
        assert_eq!(inode("shop-side-1"), inode("shop-db-1"));
        project.write(&file("2"));
        project.told("up -d");
        assert_eq!(inode("shop-side-1"), inode("shop-db-1"), "{}", shares());
        project.told("down");
        project.nothing_is_left();
    });
}

#[test]
fn rm_takes_what_has_ended_and_restart_those_who_are_to_go_along() {
    Sandbox::each(|sandbox| {
        let file = format!(
            "services:\n  web: {{{SLEEP}, depends_on: {{db: {{condition: service_started, restart: true}}}}}}\n  db: {{{SLEEP}}}\n"
        );
        let project = Project::new(sandbox, &file);
        project.told("up -d");
        assert!(project.told("rm -f").contains("No stopped containers"));
        let started = |name: &str| project.inspect(name, "{{.State.StartedAt}}");
        let before = (started("shop-web-1"), started("shop-db-1"));
        project.told("restart --no-deps db");
        assert_eq!(started("shop-web-1"), before.0);
        assert_ne!(started("shop-db-1"), before.1);
        project.told("restart db");
        assert_ne!(started("shop-web-1"), before.0);
        project.told("stop web");
        assert_eq!(project.ok("rm"), "Going to remove shop-web-1 [yN] ", "nobody says yes");
        assert_eq!(project.ok("rm -y web"), "Going to remove shop-web-1");
        assert_eq!(project.states(), ["shop-db-1 running"]);
        project.told("create");
        assert_eq!(project.states(), ["shop-db-1 running", "shop-web-1 created"]);
        project.told("start");
        assert_eq!(project.states(), ["shop-db-1 running", "shop-web-1 running"]);
        let told = project.told("rm -fs web");
        assert_eq!(told.matches("Stopping").count(), 1, "it is stopped once: {told}");
        project.ok("rm -fs");
        project.told("down");
        project.nothing_is_left();
    });
}

#[test]
fn two_at_once_lead_to_the_same() {
    let sandbox = &Sandbox::new();
    let project =
        Project::new(sandbox, &format!("services:\n  a: {{{SLEEP}, scale: 2}}\n  b: {{{SLEEP}, depends_on: [a]}}\n"));
    let mut both = [project.begin("up -d"), project.begin("up -d")];
    let outcomes: Vec<bool> = both.iter_mut().map(|up| up.wait().unwrap().success()).collect();
    assert_eq!(outcomes, [true, true], "what one has made, the other finds");
    project.told("up -d");
    assert_eq!(project.states(), ["shop-a-1 running", "shop-a-2 running", "shop-b-1 running"]);
    project.told("down");
    project.nothing_is_left();
}

#[test]
fn who_takes_the_place_of_another_is_heard_too() {
    Sandbox::each(|sandbox| {
        let file = |word: &str| {
            format!(
                "services:\n  a: {{image: workbench, command: [sh, -c, 'echo {word}; sleep 1000'], stop_signal: SIGKILL}}\n"
            )
        };
        let project = Project::new(sandbox, &file("one"));
        let mut up = project.begin("up");
        let says = |word: &str| sandbox.output(&["logs", "shop-a-1"]).stdout == format!("{word}\n").as_bytes();
        eventually("the first one is there", || says("one"));
        project.write(&file("two"));
        project.told("up -d");
        eventually("the second one is there", || says("two"));
        interrupt(&up);
        let mut shown = String::new();
        up.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
        assert_eq!(up.wait().unwrap().code(), Some(130));
        let both = "a-1  | one\na-1 exited with code 137\na-1  | two\na-1 exited with code 137\n";
        assert_eq!(shown, format!("Attaching to a-1\n{both}"));
        // Nobody is heard, and all are waited for.
        let mut up = project.begin("up --no-attach a");
        eventually("it runs", || project.states() == ["shop-a-1 running"]);
        std::thread::sleep(Duration::from_millis(100));
        assert!(up.try_wait().unwrap().is_none());
        project.told("stop");
        assert!(up.wait().unwrap().success());
        project.told("down");
        project.nothing_is_left();
    });
}

/// Nobody can attach to one that is between two lives.
#[test]
fn who_is_about_to_be_started_again_is_heard_in_its_next_life() {
    Sandbox::each(|sandbox| {
        let file = "services:\n  a: {image: workbench, command: sh -c 'echo again; exit 3', restart: always}\n";
        let project = Project::new(sandbox, file);
        project.told("up -d");
        // Each pause is twice as long as the one before: this one lasts more than a second.
        let lives = || project.inspect("shop-a-1", "{{.RestartCount}}").parse::<u32>().unwrap();
        eventually("it pauses for long", || lives() >= 4 && project.states() == ["shop-a-1 restarting"]);
        let mut up = project.begin("up");
        let shown = BufReader::new(up.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut rest = shown.skip_while(|line| line != "a-1 exited with code 3 (restarting)").skip(1);
        assert_eq!(rest.next().as_deref(), Some("a-1  | again"));
        interrupt(&up);
        assert_eq!(up.wait().unwrap().code(), Some(130));
        project.told("down");
        project.nothing_is_left();
    });
}

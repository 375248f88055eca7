//! RUN on the networks of root's containers.

use crate::house::{HOST, House, WORLD};
use crate::support::eventually;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A host with a folder to build in.
struct Yard {
    house: House,
}

impl Yard {
    fn new(test: &str) -> Option<Self> {
        Some(Self { house: House::new(test)? })
    }

    /// Builds this, on these words; what was told, and whether it went well.
    fn build(&self, dockerfile: &str, flags: &[&str]) -> (bool, String) {
        let folder = self.write(dockerfile);
        let words =
            [&["build", "--progress", "plain", "--no-cache", "-t", "built"], flags, &[folder.as_str()]].concat();
        let output = self.house.output(&words);
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }

    fn write(&self, dockerfile: &str) -> String {
        let folder = self.house.sandbox.path().join("context");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    fn builds(&self, dockerfile: &str, flags: &[&str]) -> String {
        let (well, told) = self.build(dockerfile, flags);
        assert!(well, "{told}");
        told
    }

    /// The addresses that somebody has.
    fn leases(&self) -> Vec<String> {
        let networks =
            std::fs::read_dir(self.house.sandbox.root().join("run/networks")).into_iter().flatten().flatten();
        let files = networks.flat_map(|network| std::fs::read_dir(network.path()).into_iter().flatten().flatten());
        files.map(|file| file.file_name().into_string().unwrap()).collect()
    }

    fn is_tidy(&self) {
        assert_eq!(self.leases(), [""; 0]);
        self.house.is_tidy();
    }
}

#[test]
fn a_run_reaches_the_world_the_host_and_its_neighbours_by_address() {
    let Some(yard) = Yard::new("a_run_reaches_the_world_the_host_and_its_neighbours_by_address") else { return };
    yard.house.serve("web", &[]);
    let web = yard.house.ok(&["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "web"]);
    let gateway = yard.house.ok(&["inspect", "-f", "{{.NetworkSettings.Gateway}}", "web"]);
    // A server on the host, reached at the bridge's own address.
    let mut server = yard.house.command(0, &["sh", "-c", "echo from-the-host | timeout 20 busybox nc -l -p 7777"]);
    let mut server = server.stdout(std::process::Stdio::null()).spawn().unwrap();
    eventually("it listens", || yard.house.shell("cat /proc/net/tcp /proc/net/tcp6").contains(":1E61 "));
    let told = yard.builds(
        &format!(
            "FROM workbench\nRUN ping -c1 -W2 {WORLD} && ping -c1 -W2 {HOST}\n\
             RUN echo heard $(nc -w 2 {gateway} 7777 </dev/null)\nRUN echo heard $(nc -w 2 {web} 80 </dev/null)\n\
             RUN ping -c1 -W1 web 2>/dev/null || echo no names there\nRUN ip -o -4 addr show eth0 && ip route\n"
        ),
        &[],
    );
    for part in ["heard from-the-host", "heard web", "no names there", "default via"] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    server.kill().unwrap();
    server.wait().unwrap();
    // The neighbour's address is the only one that is held still.
    assert_eq!(yard.leases(), [web]);
    yard.house.ok(&["rm", "-f", "web"]);
    yard.is_tidy();
}

#[test]
fn a_run_on_no_network_or_on_the_hosts() {
    let Some(yard) = Yard::new("a_run_on_no_network_or_on_the_hosts") else { return };
    let dockerfile = "FROM workbench\nRUN echo links: $(ls /sys/class/net)\n";
    assert!(yard.builds(dockerfile, &["--network", "none"]).contains("links: lo\n"));
    assert!(yard.house.links().lines().all(|link| !link.starts_with("kes")), "no bridge for nobody");
    let host = yard.builds("FROM workbench\nRUN ip -o -4 addr\n", &["--network", "host"]);
    assert!(host.contains(&format!("inet {HOST}/24")), "{host}");
    assert!(yard.house.links().lines().all(|link| !link.starts_with("kes")), "nor for a guest of the host");
    // One step by itself, beside one that is on the default network.
    let mixed = yard
        .builds("FROM workbench\nRUN --network=none echo links: $(ls /sys/class/net)\nRUN ip link show eth0\n", &[]);
    assert!(mixed.contains("links: lo\n") && mixed.contains("eth0"), "{mixed}");
    yard.is_tidy();
}

#[test]
fn the_files_that_tell_a_run_where_it_is() {
    let Some(yard) = Yard::new("the_files_that_tell_a_run_where_it_is") else { return };
    let told = yard.builds(
        "FROM workbench\nRUN cat /etc/hosts && hostname\nRUN sed 's/^/resolv: /' /etc/resolv.conf\n",
        &["--add-host", "db:10.1.2.3", "--add-host", "up:host-gateway"],
    );
    for part in
        ["127.0.0.1\tlocalhost", "10.1.2.3\tdb", "172.17.0.1\tup", "127.0.0.1\tbuildkitsandbox", "resolv: nameserver "]
    {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    assert!(!told.contains("127.0.0.11"), "{told}");
    // They were shown, and are in no layer: neither they, nor an address that was this step's alone.
    let image = yard.house.ok(&["run", "--rm", "--network", "none", "built", "cat", "/etc/hosts"]);
    assert!(!image.contains("db") && !image.contains("buildkitsandbox"), "{image}");
    yard.is_tidy();
}

#[test]
fn what_a_run_had_of_the_network_is_given_back_however_it_ends() {
    let Some(yard) = Yard::new("what_a_run_had_of_the_network_is_given_back_however_it_ends") else { return };
    yard.builds("FROM workbench\nRUN ip link show eth0\n", &[]);
    yard.is_tidy();
    let (well, told) = yard.build("FROM workbench\nRUN ip link show eth0 && exit 3\n", &[]);
    assert!(!well && told.contains("exit code: 3"), "{told}");
    yard.is_tidy();
    let (well, _) = yard.build("FROM workbench\nRUN sh -c 'kill -9 $$'; exit $?\n", &[]);
    assert!(!well);
    yard.is_tidy();

    let folder = yard.write("FROM workbench\nRUN exec sleep 3218\n");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let mut builder = yard.house.spawn(&["build", "--no-cache", &folder]);
        eventually("the command is on its network", || yard.leases().len() == 1 && sleepers() > 0);
        kill(Pid::from_raw(builder.id() as i32), signal).unwrap();
        builder.wait().unwrap();
        eventually("the command has died with who built", || sleepers() == 0);
        if signal == Signal::SIGKILL {
            // Nobody was left to give it back; any command is enough.
            assert_eq!(yard.leases().len(), 1);
            yard.house.ok(&["ps"]);
        }
        yard.is_tidy();
    }
    // And of two that run at once, the second is not cut off by the end of the first.
    let slow = yard.write(&format!("FROM workbench\nRUN sleep 1; ping -c1 -W2 {WORLD}\n"));
    let mut slow = yard.house.spawn(&["build", "--no-cache", &slow]);
    eventually("it has begun", || yard.leases().len() == 1);
    yard.builds("FROM workbench\nRUN ip link show eth0\n", &[]);
    assert!(slow.wait().unwrap().success());
    yard.is_tidy();
}

fn sleepers() -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands = processes.map(|process| std::fs::read(process.path().join("cmdline")).unwrap_or_default());
    commands.filter(|command| command == b"sleep\x003218\x00").count()
}

//! Who holds the containers: a daemon of ours, or a real dockerd, each in a host with a network of its own.

use crate::house::House;
use crate::project::Project;
use crate::support::eventually;
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// An engine that listens, told to end when dropped.
pub(crate) struct Engine {
    process: Child,
    pub(crate) is_ours: bool,
    pub(crate) house: House,
    pub(crate) socket: PathBuf,
}

impl Engine {
    /// `kesako daemon`. None where there can be no house.
    pub(crate) fn kesako(test: &str) -> Option<Self> {
        let house = House::new(test)?;
        let socket = house.sandbox.path().join("k.sock");
        let process = house.spawn(&["daemon", "-H", &format!("unix://{}", socket.display())]);
        let engine = Self { process, is_ours: true, house, socket };
        eventually("the daemon listens", || UnixStream::connect(&engine.socket).is_ok());
        // The image that is built in is there from now on.
        engine.house.ok(&["create", "--name", "first", "workbench"]);
        engine.house.ok(&["rm", "first"]);
        Some(engine)
    }

    /// A real dockerd, with the image that is built into kesako.
    ///
    /// # Errors
    /// Why there is none here, to be told loudly.
    pub(crate) fn dockerd(house: House) -> Result<Self, String> {
        let folder = house.sandbox.path().join("dockerd");
        std::fs::create_dir(&folder).unwrap();
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let socket = folder.join("d.sock");
        let (host, data, exec, pid) = (format!("unix://{}", socket.display()), at("data"), at("exec"), at("pid"));
        // Its mounts are in a namespace of its own: they go with it.
        let mut words = vec!["unshare", "--mount", "dockerd", "--host", &host, "--data-root", &data];
        words.extend(["--exec-root", &exec, "--pidfile", &pid]);
        let mut command = house.command(0, &words);
        let process = command.stdout(Stdio::null()).stderr(std::fs::File::create(at("log")).unwrap()).spawn();
        let process = process.map_err(|error| format!("dockerd: {error}"))?;
        let mut engine = Self { process, is_ours: false, house, socket };
        let end = Instant::now() + Duration::from_secs(60);
        while UnixStream::connect(&engine.socket).is_err() {
            if let Some(status) = engine.process.try_wait().unwrap() {
                let log = std::fs::read_to_string(at("log")).unwrap();
                return Err(format!("dockerd does not start here ({status}): {}", log.lines().last().unwrap_or("")));
            }
            assert!(Instant::now() < end, "dockerd does not listen after a minute");
            std::thread::sleep(Duration::from_millis(50));
        }
        let archive = at("workbench.tar");
        engine.house.ok(&["save", "-o", &archive, "workbench"]);
        engine.house.ok(&["-H", &host, "load", "-q", "-i", &archive]);
        Ok(engine)
    }

    /// What it answers there.
    pub(crate) fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.answer(path)).unwrap()
    }

    /// What this container of the project (`web-1`) has said.
    pub(crate) fn log(&self, project: &Project, container: &str) -> String {
        let (service, number) = container.rsplit_once('-').unwrap();
        let labels = [("project", project.name), ("service", service), ("container-number", number)];
        let all = self.get("/containers/json?all=1");
        let is_it = |one: &&Value| {
            labels.iter().all(|(key, value)| one["Labels"][format!("com.docker.compose.{key}")] == *value)
        };
        let Some(found) = all.as_array().unwrap().iter().find(is_it) else { return String::new() };
        self.answer(&format!("/containers/{}/logs?stdout=1&stderr=1", found["Id"].as_str().unwrap()))
    }

    /// HTTP/1.0 has no chunks, and whoever answers it closes: no client stands between the engine and the test.
    fn answer(&self, path: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "GET {path}: {answer}");
        body.to_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // SIGTERM: a dockerd ends its containers and its containerd.
        std::process::Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        self.process.wait().unwrap();
    }
}

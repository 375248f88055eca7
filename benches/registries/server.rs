//! Registries, each in a process and a folder of its own.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    process: Child,
}

impl Server {
    pub(crate) fn kesako(folder: &Path) -> Result<Self> {
        let mut process = Command::new(crate::engines::beside_me("kesako")?)
            .args(["registry", "serve", "--addr", "127.0.0.1:0", "--root"])
            .arg(folder.join("kesako-registry"))
            .stderr(Stdio::piped())
            .spawn()?;
        let mut told = BufReader::new(process.stderr.take().context("no pipe")?);
        let mut line = String::new();
        told.read_line(&mut line)?;
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        let host = line.split("://").nth(1).and_then(|rest| rest.split(',').next());
        let host = host.with_context(|| format!("kesako does not serve: {line}"))?.to_owned();
        Ok(Self { name: "kesako registry serve", host, process })
    }

    /// Debian's docker-registry, as it is configured there: with its cache of descriptors.
    pub(crate) fn debians(folder: &Path) -> Result<Self> {
        let host = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let config = format!(
            "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  cache:\n    blobdescriptor: inmemory\n  \
             filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n",
            folder.join("docker-registry").display()
        );
        let file = folder.join("docker-registry.yml");
        std::fs::write(&file, config)?;
        let log = File::create(folder.join("docker-registry.log"))?;
        let process = Command::new("docker-registry").arg("serve").arg(&file).stdout(Stdio::null()).stderr(log).spawn();
        let server = Self { name: "docker-registry", host, process: process.context("it is not installed")? };
        for _ in 0..100 {
            if TcpStream::connect(&server.host).is_ok() {
                return Ok(server);
            }
            sleep(Duration::from_millis(50));
        }
        anyhow::bail!("it does not listen within 5 s")
    }

    /// A line of /proc/PID/status, in bytes: `VmHWM` is the most memory it has ever had.
    pub(crate) fn memory(&self, line: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let found = status.lines().find_map(|known| known.strip_prefix(line)?.strip_prefix(':'));
        let kilobytes = found.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
        Ok(kilobytes.context("no such line")? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have gone by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

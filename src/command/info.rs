//! `kesako info`.

use super::Verb;
use crate::failure::Exit;
use crate::format::template::{Template, Value};
use crate::help;
use crate::output::{put, say, warn};
use crate::session::{self, Session};
use engine::api;
use serde_json::json;
use std::fmt::Write;

/// Display system-wide information
#[derive(Debug, clap::Args)]
pub(super) struct Info {
    #[arg(short, long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
}

impl Verb for Info {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let template = Template::of_object(self.format.as_deref())
            .map_err(|error| Exit::with(64, format!("template parsing error: {error}")))?;
        let client = session.connect()?;
        if let Some(template) = template {
            let mut info = session::raw_json(client.get("/info")).await?;
            info["ClientInfo"] = json!({"Debug": session.globals.debug, "Version": env!("CARGO_PKG_VERSION")});
            say(template.execute(&Value::typed(&info, "system.dockerInfo"))?)?;
            return Ok(());
        }
        let info: api::Info = client.get("/info").json().await?;
        let debug = session.globals.debug;
        put(format!("Client: Kesako\n Version:    {}\n Debug Mode: {debug}\n\nServer:\n", env!("CARGO_PKG_VERSION")))?;
        put(server(&info)?)?;
        for warning in &info.warnings {
            warn(warning);
        }
        Ok(())
    }
}

/// What is known of the engine, a line each.
fn server(info: &api::Info) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, " Containers: {}", info.containers)?;
    writeln!(out, "  Running: {}", info.containers_running)?;
    writeln!(out, "  Paused: {}", info.containers_paused)?;
    writeln!(out, "  Stopped: {}", info.containers_stopped)?;
    writeln!(out, " Images: {}", info.images)?;
    let mut say = |name: &str, value: &str| if value.is_empty() { Ok(()) } else { writeln!(out, " {name}: {value}") };
    say("Server Version", &info.server_version)?;
    say("Storage Driver", &info.driver)?;
    for [name, value] in &info.driver_status {
        say(&format!(" {name}"), value)?;
    }
    say("Logging Driver", &info.logging_driver)?;
    say("Cgroup Driver", &info.cgroup_driver)?;
    say("Cgroup Version", &info.cgroup_version)?;
    say("Default Runtime", &info.default_runtime)?;
    say("Init Binary", &info.init_binary)?;
    if !info.security_options.is_empty() {
        say("Security Options", " ")?;
    }
    for option in &info.security_options {
        for (i, part) in option.split(',').enumerate() {
            let (key, value) = part.split_once('=').unwrap_or(("name", part));
            // `name=seccomp,profile=builtin`: the name is the headline of what follows.
            match i {
                0 => writeln!(out, "  {value}")?,
                _ => writeln!(out, "   {}: {value}", key[..1].to_uppercase() + &key[1..])?,
            }
        }
    }
    let mut say = |name: &str, value: &str| if value.is_empty() { Ok(()) } else { writeln!(out, " {name}: {value}") };
    say("Kernel Version", &info.kernel_version)?;
    say("Operating System", &info.operating_system)?;
    say("OSType", &info.os_type)?;
    say("Architecture", &info.architecture)?;
    say("CPUs", &info.ncpu.to_string())?;
    say("Total Memory", &binary_size(info.mem_total))?;
    say("Name", &info.name)?;
    say("ID", &info.id)?;
    say("Docker Root Dir", &info.docker_root_dir)?;
    say("Experimental", &info.experimental_build.to_string())?;
    say("Live Restore Enabled", &info.live_restore_enabled.to_string())?;
    Ok(out.replace("Security Options:  \n", "Security Options:\n"))
}

/// `23.54GiB`.
fn binary_size(bytes: u64) -> String {
    const UNITS: &[&str] = &["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{}{}", crate::format::units::significant(size, 4), UNITS[unit])
}

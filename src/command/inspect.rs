//! `kesako inspect`, `kesako container inspect`, `kesako image inspect`; and the part of `volume inspect` that is the same.

use super::Verb;
use crate::failure::Exit;
use crate::format::json;
use crate::format::template::{Template, Value};
use crate::help;
use crate::output::{put, say, warn};
use crate::session::{self, Session};
use daemon::Client;
use serde_json::{Value as Json, json};

/// Return low-level information on objects
#[derive(Debug, clap::Args)]
pub(super) struct Inspect {
    #[arg(short, long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
    /// Display total file sizes if the type is container
    #[arg(short, long)]
    size: bool,
    /// Only inspect objects of the given type
    #[arg(long)]
    r#type: Option<String>,
    #[arg(required = true)]
    names: Vec<String>,
}

/// Display detailed information on one or more containers
#[derive(Debug, clap::Args)]
pub(super) struct Containers {
    #[arg(short, long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
    #[arg(required = true)]
    containers: Vec<String>,
}

/// Display detailed information on one or more images
#[derive(Debug, clap::Args)]
pub(super) struct Images {
    #[arg(short, long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
    #[arg(required = true)]
    images: Vec<String>,
}

/// Display detailed information on one or more networks
#[derive(Debug, clap::Args)]
pub(super) struct Networks {
    #[arg(short, long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
    /// Verbose output for diagnostics
    #[arg(short, long)]
    verbose: bool,
    #[arg(required = true)]
    networks: Vec<String>,
}

/// What a name may stand for, in the order in which it is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Container,
    Image,
    Volume,
    Network,
}

impl Verb for Inspect {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        const KINDS: &[&str] = &["container", "image", "network", "volume"];
        let kinds: &[Kind] = match self.r#type.as_deref() {
            None => &[Kind::Container, Kind::Image, Kind::Network, Kind::Volume],
            Some("container") => &[Kind::Container],
            Some("image") => &[Kind::Image],
            Some("network") => &[Kind::Network],
            Some("volume") => &[Kind::Volume],
            Some("") => anyhow::bail!("type is empty: must be one of \"{}\"", KINDS.join("\", \"")),
            Some(other) => anyhow::bail!("unknown type: {other:?}: must be one of \"{}\"", KINDS.join("\", \"")),
        };
        inspect(&session, kinds, &self.names, self.size, self.format.as_deref()).await
    }
}

impl Verb for Containers {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        inspect(&session, &[Kind::Container], &self.containers, self.size, self.format.as_deref()).await
    }
}

impl Verb for Images {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        inspect(&session, &[Kind::Image], &self.images, false, self.format.as_deref()).await
    }
}

impl Verb for Networks {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        // There is no swarm whose tasks more words would be about.
        let Self { format, verbose: _, networks } = self;
        inspect(&session, &[Kind::Network], &networks, false, format.as_deref()).await
    }
}

/// Prints what was found, and then tells of what was not.
pub(super) async fn inspect(
    session: &Session,
    kinds: &[Kind],
    names: &[String],
    size: bool,
    format: Option<&str>,
) -> anyhow::Result<()> {
    let template = match format {
        None | Some("" | "json") => None,
        Some(source) => {
            Some(Template::parse(source).map_err(|error| Exit::with(64, format!("template parsing error: {error}")))?)
        }
    };
    let client = session.connect()?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match find(&client, kinds, name, size).await {
            Ok(object) => found.push(object),
            Err(error) => failures.push(session::message(&error)),
        }
    }
    match template {
        Some(template) => render(&template, &found, &mut failures)?,
        None if found.is_empty() => say("[]")?,
        None if format == Some("json") => say(found.into_iter().map(|(_, object)| object).collect::<Json>())?,
        None => say(json::indented(&found.into_iter().map(|(_, object)| object).collect()))?,
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Exit::with(1, failures.join("\n"))),
    }
}

fn render(template: &Template, found: &[(Kind, Json)], failures: &mut Vec<String>) -> anyhow::Result<()> {
    let mut out = String::new();
    for (kind, object) in found {
        match template.execute(&Value::from_json(object).with_defaults(&left_out(*kind))) {
            Ok(text) => out += &format!("{text}\n"),
            Err(error) => failures.push(format!("template parsing error: {error}")),
        }
    }
    put(if out.is_empty() { "\n" } else { &out })
}

async fn find(client: &Client, kinds: &[Kind], name: &str, size: bool) -> anyhow::Result<(Kind, Json)> {
    if name.trim().is_empty() {
        anyhow::bail!("invalid container name or ID: value is empty");
    }
    for kind in kinds {
        let path = match kind {
            Kind::Container => format!("/containers/{name}/json"),
            Kind::Image => format!("/images/{name}/json"),
            Kind::Volume => format!("/volumes/{name}"),
            Kind::Network => format!("/networks/{name}"),
        };
        let mut request = client.get(path);
        if size && *kind == Kind::Container {
            request = request.query("size", true);
        }
        match session::raw_json(request).await {
            Ok(object) => {
                let ignores_size = match kind {
                    Kind::Container => None,
                    Kind::Image => Some("image"),
                    Kind::Network => Some("network"),
                    Kind::Volume => Some("volume"),
                };
                if let Some(kind) = ignores_size.filter(|_| size && kinds.len() > 1) {
                    warn(format!("WARNING: --size ignored for {kind}"));
                }
                return Ok((*kind, object));
            }
            // The next kind may know it; a container's name need not be one of an image.
            Err(error)
                if kinds.len() > 1 && (error.is_not_found() || error.message.contains("invalid reference format")) => {}
            Err(error) => return Err(error.into()),
        }
    }
    anyhow::bail!("Error: No such object: {name}")
}

/// A template may name what the server leaves out because it is empty: those fields are there, and empty.
fn left_out(kind: Kind) -> Json {
    let config = json!({"StopSignal": "", "StopTimeout": null, "Healthcheck": null, "Shell": null, "ExposedPorts": null,
        "NetworkDisabled": false, "MacAddress": ""});
    match kind {
        Kind::Container => json!({"Config": config, "State": {"Health": null}, "SizeRw": null, "SizeRootFs": null,
            "HostConfig": {"Tmpfs": null, "Sysctls": null, "Mounts": null, "Init": null, "Annotations": null}}),
        Kind::Image => json!({"Config": config, "Variant": "", "OsVersion": ""}),
        Kind::Volume => json!({"ClusterVolume": null, "Status": null, "UsageData": null}),
        Kind::Network => json!({}),
    }
}

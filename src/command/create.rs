//! `kesako create`, and the part of `run` that is the same.

use super::Verb;
use super::pull::pull;
use crate::failure::Exit;
use crate::flags::container::ContainerFlags;
use crate::flags::environment::go_text;
use crate::flags::reference;
use crate::output::{say, warn};
use crate::session::{self, Session};
use crate::terminal;
use crate::transfer::{To, Transfer};
use ::registry::Reference;
use daemon::Client;
use engine::api::{CreateRequest, CreateResponse};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// Create a new container
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    container: ContainerFlags,
}

impl Verb for Create {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let request = self.container.request(false).map_err(|error| with_help(&error, "create", 125))?;
        let client = session.connect()?;
        say(create(&client, &self.container, request).await?)?;
        Ok(())
    }
}

/// Creates the container and gives its ID.
pub(super) async fn create(
    client: &Client,
    flags: &ContainerFlags,
    mut request: CreateRequest,
) -> anyhow::Result<String> {
    reference::check(&request.config.image)?;
    let id_file = IdFile::open(flags.cidfile.as_deref())?;
    if let Some(size) = terminal::size_of(&std::io::stdout()) {
        request.host_config.console_size = [size.height, size.width];
    }
    let call = async || {
        let call = client
            .post("/containers/create")
            .query_opt("name", flags.name.as_deref())
            .query_opt("platform", flags.platform.as_deref());
        call.body_json(&request).json::<CreateResponse>().await
    };
    if flags.pull == "always" {
        pull_image(client, flags, &request.config.image).await?;
    }
    let answer = match call().await {
        Err(error) if error.is_not_found() && matches!(flags.pull.as_str(), "missing" | "") => {
            if !flags.quiet {
                warn(format!("Unable to find image '{}' locally", familiar(&request.config.image)));
            }
            pull_image(client, flags, &request.config.image).await?;
            call().await?
        }
        answer => answer?,
    };
    for warning in &answer.warnings {
        warn(format!("WARNING: {warning}"));
    }
    id_file.keep(&answer.id)?;
    Ok(answer.id)
}

/// Standard output is the container's: what is told of the pull goes to standard error.
async fn pull_image(client: &Client, flags: &ContainerFlags, image: &str) -> anyhow::Result<()> {
    let transfer = (!flags.quiet).then(|| Transfer::new(To::Stderr));
    pull(client, &Reference::parse(image)?.or_latest(), flags.platform.as_deref(), transfer).await
}

/// As Docker decorates what goes wrong before the container runs.
pub(super) fn with_help(error: &anyhow::Error, command: &str, code: i32) -> anyhow::Error {
    let text = session::message(error);
    Exit::with(code, format!("kesako: {text}\n\nRun 'kesako {command} --help' for more information"))
}

/// An image's name as it is shown: with its tag, without the registry that is meant anyway.
fn familiar(image: &str) -> String {
    let name = ["docker.io/library/", "docker.io/", "index.docker.io/library/", "index.docker.io/"]
        .iter()
        .find_map(|prefix| image.strip_prefix(prefix))
        .unwrap_or(image);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') || last.contains('@') { name.to_owned() } else { format!("{name}:latest") }
}

/// `--cidfile`: made before the container, so that two of them cannot share it; gone again if there is no container.
struct IdFile {
    file: Option<(File, PathBuf)>,
}

impl IdFile {
    fn open(path: Option<&str>) -> anyhow::Result<Self> {
        let Some(path) = path.filter(|path| !path.is_empty()) else { return Ok(Self { file: None }) };
        match File::create_new(path) {
            Ok(file) => Ok(Self { file: Some((file, path.into())) }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                anyhow::bail!("container ID file found, make sure the other container isn't running or delete {path}")
            }
            Err(error) => {
                anyhow::bail!("failed to create the container ID file: open {path}: {}", go_text(&error))
            }
        }
    }

    fn keep(mut self, id: &str) -> anyhow::Result<()> {
        if let Some((mut file, path)) = self.file.take() {
            file.write_all(id.as_bytes()).map_err(|error| {
                anyhow::anyhow!("failed to write the container ID to {}: {}", path.display(), go_text(&error))
            })?;
        }
        Ok(())
    }
}

impl Drop for IdFile {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.file {
            // The failure that brought us here is the one to be told.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_users_know_them() {
        for (image, shown) in [
            ("alpine", "alpine:latest"),
            ("docker.io/library/alpine:3", "alpine:3"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
            ("a@sha256:00", "a@sha256:00"),
        ] {
            assert_eq!(familiar(image), shown);
        }
    }
}

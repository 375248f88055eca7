//! `kesako compose images`.

use super::table_or_json;
use crate::command::compose::{Context, Member};
use crate::command::split_tag;
use crate::format::{short_id, units};
use crate::output::say;
use ::compose::labels;
use ::daemon::Client;
use engine::api::{ContainerSummary, ImageInspect, ImageSummary};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// List images used by the created containers
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Images {
    /// Format the output. Values: [table | json]
    #[arg(long, default_value = "table")]
    format: String,
    /// Only display IDs
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// The image of a container.
struct Image {
    container: String,
    id: String,
    repository: String,
    tag: String,
    /// Since when it is here, in seconds since 1970: as `images` has it. What is built has no date of its own.
    created: Option<i64>,
    /// None when the engine has it no more.
    inspect: Option<ImageInspect>,
}

const HEADINGS: [&str; 7] = ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"];

impl Member for Images {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = context.connect()?;
        let by_label = BTreeMap::from([("label", [format!("{}={}", labels::PROJECT, context.name()?)])]);
        let request = client.get("/containers/json").query("all", true).query_json("filters", &by_label);
        let mut containers: Vec<ContainerSummary> = request.json().await?;
        let service = |container: &ContainerSummary| container.labels.get(labels::SERVICE).cloned().unwrap_or_default();
        containers.retain(|container| self.services.is_empty() || self.services.contains(&service(container)));
        let here: Vec<ImageSummary> = client.get("/images/json").json().await?;
        let mut images = Vec::new();
        for container in containers {
            images.push(image(&client, container, &here).await?);
        }
        images.sort_by(|a, b| a.container.cmp(&b.container));
        if self.quiet {
            let mut seen = Vec::new();
            for image in images {
                let id = image.id.split_once(':').map_or(image.id.as_str(), |(_, digits)| digits).to_owned();
                if !seen.contains(&id) {
                    say(&id)?;
                    seen.push(id);
                }
            }
            return Ok(());
        }
        let json = images.iter().map(Image::json).collect();
        table_or_json(&self.format, &HEADINGS, images.iter().map(Image::row).collect(), json)
    }
}

async fn image(client: &Client, container: ContainerSummary, here: &[ImageSummary]) -> anyhow::Result<Image> {
    let inspect: Option<ImageInspect> = match client.get(format!("/images/{}/json", container.image)).json().await {
        Err(error) if error.status == 404 => None,
        answer => Some(answer?),
    };
    // What has lost its name is called by its ID.
    let (repository, tag) = match container.image.starts_with("sha256:") {
        true => ("", None),
        false => split_tag(&container.image),
    };
    let (repository, tag) = match repository.split_once('@') {
        Some((repository, _)) => (repository, ""),
        None => (repository, tag.unwrap_or(if repository.is_empty() { "" } else { "latest" })),
    };
    let created = |inspect: &ImageInspect| {
        let listed = here.iter().find(|image| image.id == inspect.id).map(|image| image.created);
        listed.or_else(|| Some(inspect.created.parse::<jiff::Timestamp>().ok()?.as_second()))
    };
    Ok(Image {
        created: inspect.as_ref().and_then(created),
        container: container.names.first().map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default(),
        id: inspect.as_ref().map_or(container.image_id, |inspect| inspect.id.clone()),
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        inspect,
    })
}

impl Image {
    fn platform(&self) -> String {
        let Some(inspect) = &self.inspect else { return "unknown".to_owned() };
        let variant = inspect.variant.as_deref().filter(|variant| !variant.is_empty());
        let parts = [Some(inspect.os.as_str()), Some(inspect.architecture.as_str()), variant];
        parts.into_iter().flatten().collect::<Vec<_>>().join("/")
    }

    fn row(&self) -> Vec<String> {
        let or_none = |text: &str| if text.is_empty() { "<none>".to_owned() } else { text.to_owned() };
        vec![
            self.container.clone(),
            or_none(&self.repository),
            or_none(&self.tag),
            self.platform(),
            short_id(&self.id).to_owned(),
            units::size(self.inspect.as_ref().map_or(0, |inspect| inspect.size), 3),
            self.created.map_or_else(|| "N/A".to_owned(), units::ago),
        ]
    }

    fn json(&self) -> Json {
        let mut json = json!({
            "ID": self.id,
            "ContainerName": self.container,
            "Repository": self.repository,
            "Tag": self.tag,
            "Platform": self.platform(),
            "Size": self.inspect.as_ref().map_or(0, |inspect| inspect.size),
        });
        for (key, moment) in self
            .inspect
            .iter()
            .flat_map(|inspect| [("Created", &inspect.created), ("LastTagTime", &inspect.metadata.last_tag_time)])
        {
            // The year 1 stands for never.
            if !moment.is_empty() && !moment.starts_with("0001-") {
                json[key] = moment.as_str().into();
            }
        }
        json
    }
}

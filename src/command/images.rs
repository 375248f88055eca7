//! `kesako images`.

use super::Verb;
use super::tag::split;
use crate::flags::{config, filter};
use crate::format::{Format, Row, Rows, short_id, units};
use crate::help;
use crate::session::Session;
use engine::api::ImageSummary;

/// List images
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Show all images (default hides intermediate images)
    #[arg(short, long)]
    all: bool,
    /// Show digests
    #[arg(long)]
    digests: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    #[arg(long, help = help::LIST_FORMAT)]
    format: Option<String>,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
    reference: Option<String>,
}

pub(super) const ROWS: Rows = Rows {
    go_type: "*formatter.imageContext",
    headings: &[
        ("ID", "IMAGE ID"),
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Size", "SIZE"),
        ("Containers", "CONTAINERS"),
        ("VirtualSize", "SIZE"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
    ],
};

impl Verb for List {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let mut filters = filter::collect(&self.filter);
        if let Some(reference) = &self.reference {
            filters.entry("reference".to_owned()).or_default().push(reference.clone());
        }
        let client = session.connect()?;
        let mut request = client.get("/images/json").query_json("filters", &filters);
        if self.all {
            request = request.query("all", 1);
        }
        let mut images: Vec<ImageSummary> = request.json().await?;
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        let format = self.chosen_format();
        let digests = self.digests || format.mentions("{{.Digest}}");
        ROWS.print(&format, images.iter().flat_map(|image| rows(image, !self.no_trunc, digests)).collect())
    }
}

impl List {
    fn chosen_format(&self) -> Format {
        let source = match &self.format {
            Some(format) if !format.is_empty() => format.clone(),
            _ => config::setting("imagesFormat").filter(|_| !self.quiet).unwrap_or_else(|| "table".to_owned()),
        };
        let digest = if self.digests { "{{.Digest}}\t" } else { "" };
        match source.as_str() {
            "table" if self.quiet => Format::new("{{.ID}}"),
            "table" => Format::new(&format!(
                "table {{{{.Repository}}}}\t{{{{.Tag}}}}\t{digest}{{{{.ID}}}}\t\
                 {{{{if .CreatedSince }}}}{{{{.CreatedSince}}}}{{{{else}}}}N/A{{{{end}}}}\t{{{{.Size}}}}"
            )),
            other if other.starts_with("table") && self.digests && !other.contains("{{.Digest}}") => {
                Format::new(&format!("{other}\t{{{{.Digest}}}}"))
            }
            other => Format::new(other),
        }
    }
}

/// A row for each tag; one of `<none>` for an image without.
pub(super) fn rows(image: &ImageSummary, truncate: bool, digests: bool) -> Vec<Row> {
    let tags: Vec<_> = image.repo_tags.iter().filter(|tag| *tag != "<none>:<none>").map(|tag| split(tag)).collect();
    let pinned: Vec<_> =
        image.repo_digests.iter().filter(|d| *d != "<none>@<none>").filter_map(|d| d.split_once('@')).collect();
    let mut rows = Vec::new();
    for (repository, tag) in &tags {
        let of_this: Vec<_> =
            pinned.iter().filter(|(name, _)| digests && name == repository).map(|(_, d)| *d).collect();
        let tag = tag.unwrap_or("<none>");
        match of_this.as_slice() {
            [] => rows.push(row(image, truncate, repository, tag, "<none>")),
            of_this => rows.extend(of_this.iter().map(|digest| row(image, truncate, repository, tag, digest))),
        }
    }
    for (repository, digest) in pinned.iter().filter(|(name, _)| !tags.iter().any(|(r, _)| r == name)) {
        rows.push(row(image, truncate, repository, "<none>", if digests { digest } else { "" }));
    }
    if rows.is_empty() {
        rows.push(row(image, truncate, "<none>", "<none>", "<none>"));
    }
    rows
}

fn row(image: &ImageSummary, truncate: bool, repository: &str, tag: &str, digest: &str) -> Row {
    let counted = |n: i64, text: String| if n == -1 { "N/A".to_owned() } else { text };
    let unique = if image.shared_size == -1 { -1 } else { image.size - image.shared_size };
    Row::new(vec![
        ("ID", (if truncate { short_id(&image.id) } else { &image.id }).into()),
        ("Repository", familiar(repository).into()),
        ("Tag", tag.into()),
        ("Digest", digest.into()),
        ("CreatedSince", units::ago(image.created).into()),
        ("CreatedAt", units::date(image.created).into()),
        ("Size", units::size(image.size, 3).into()),
        ("Containers", counted(image.containers, image.containers.to_string()).into()),
        ("VirtualSize", units::size(image.size, 4).into()),
        ("SharedSize", counted(image.shared_size, units::size(image.shared_size, 4)).into()),
        ("UniqueSize", counted(unique, units::size(unique, 4)).into()),
    ])
}

/// Without the registry that is meant anyway.
fn familiar(repository: &str) -> &str {
    let hub = repository.strip_prefix("docker.io/");
    hub.map_or(repository, |name| name.strip_prefix("library/").unwrap_or(name))
}

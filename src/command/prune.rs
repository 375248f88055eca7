//! `kesako container prune`, `kesako image prune`, `kesako network prune` and `kesako builder prune`.

use super::Verb;
use super::rmi::describe;
use crate::flags::{filter, size};
use crate::format::units;
use crate::output::{put, say};
use crate::session::Session;
use engine::api::{BuildsPruned, ContainersPruned, ImagesPruned, NetworksPruned};
use std::io::Write;

/// Remove all stopped containers
#[derive(Debug, clap::Args)]
pub(super) struct Containers {
    /// Provide filter values (e.g. "until=<timestamp>")
    #[arg(long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

/// Remove unused images
#[derive(Debug, clap::Args)]
pub(super) struct Images {
    /// Remove all unused images, not just dangling ones
    #[arg(short, long)]
    all: bool,
    /// Provide filter values (e.g. "until=<timestamp>")
    #[arg(long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

/// Remove build cache
#[derive(Debug, clap::Args)]
pub(super) struct Builds {
    /// Remove all unused build cache, not just dangling ones
    #[arg(short, long)]
    all: bool,
    /// Provide filter values (e.g. "until=24h")
    #[arg(long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
    /// Amount of disk space to keep for cache
    #[arg(long, value_name = "bytes", value_parser = size::bytes, default_value = "0", hide_default_value = true)]
    keep_storage: i64,
}

/// Remove all unused networks
#[derive(Debug, clap::Args)]
pub(super) struct Networks {
    /// Provide filter values (e.g. "until=<timestamp>")
    #[arg(long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

impl Verb for Networks {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        if !confirm(self.force, "WARNING! This will remove all custom networks not used by at least one container.")? {
            return Ok(());
        }
        let filters = filter::collect(&self.filter);
        let client = session.connect()?;
        let pruned: NetworksPruned = client.post("/networks/prune").query_json("filters", &filters).json().await?;
        let deleted = pruned.networks_deleted.unwrap_or_default();
        if deleted.is_empty() { Ok(()) } else { say(format!("Deleted Networks:\n{}\n", deleted.join("\n"))) }
    }
}

impl Verb for Containers {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        if !confirm(self.force, "WARNING! This will remove all stopped containers.")? {
            return Ok(());
        }
        let client = session.connect()?;
        let filters = filter::collect(&self.filter);
        let pruned: ContainersPruned = client.post("/containers/prune").query_json("filters", &filters).json().await?;
        let deleted = pruned.containers_deleted.unwrap_or_default();
        if !deleted.is_empty() {
            say(format!("Deleted Containers:\n{}\n", deleted.join("\n")))?;
        }
        say(format!("Total reclaimed space: {}", units::size(pruned.space_reclaimed as i64, 4)))?;
        Ok(())
    }
}

impl Verb for Images {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let warning = match self.all {
            true => "WARNING! This will remove all images without at least one container associated to them.",
            false => "WARNING! This will remove all dangling images.",
        };
        if !confirm(self.force, warning)? {
            return Ok(());
        }
        let client = session.connect()?;
        let mut filters = filter::collect(&self.filter);
        filters.insert("dangling".to_owned(), vec![(!self.all).to_string()]);
        let pruned: ImagesPruned = client.post("/images/prune").query_json("filters", &filters).json().await?;
        let deleted = pruned.images_deleted.unwrap_or_default();
        if !deleted.is_empty() {
            let lines = deleted
                .iter()
                .map(|step| describe(step).replace("Deleted:", "deleted:").replace("Untagged:", "untagged:"));
            say(format!("Deleted Images:\n{}", lines.collect::<String>()))?;
        }
        say(format!("Total reclaimed space: {}", units::size(pruned.space_reclaimed as i64, 4)))?;
        Ok(())
    }
}

impl Verb for Builds {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let warning = match self.all {
            true => "WARNING! This will remove all build cache.",
            false => "WARNING! This will remove all dangling build cache.",
        };
        if !confirm(self.force, warning)? {
            return Ok(());
        }
        let client = session.connect()?;
        let request =
            client.post("/build/prune").query("all", u8::from(self.all)).query("keep-storage", self.keep_storage);
        let pruned: BuildsPruned = request.query_json("filters", &filter::collect(&self.filter)).json().await?;
        let deleted = pruned.caches_deleted.unwrap_or_default();
        if !deleted.is_empty() {
            say(format!("Deleted build cache objects:\n{}\n", deleted.join("\n")))?;
        }
        say(format!("Total reclaimed space: {}", units::size(pruned.space_reclaimed as i64, 4)))?;
        Ok(())
    }
}

/// Asks, unless told not to.
pub(super) fn confirm(force: bool, warning: &str) -> anyhow::Result<bool> {
    if force {
        return Ok(true);
    }
    put(format!("{warning}\nAre you sure you want to continue? [y/N] "))?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

//! `kesako system df`.

use super::{Verb, images, ps, volume};
use crate::format::{Format, Row, Rows, short_id, units};
use crate::output::put;
use crate::session::Session;
use engine::api::{BuildCacheRecord, ContainerSummary, DiskUsage, ImageSummary, Volume};

/// Show disk usage
#[derive(Debug, clap::Args)]
pub(super) struct DiskFree {
    #[arg(long, default_value = "", help = include_str!("../help/list-format.txt"))]
    format: String,
    /// Show detailed information on space usage
    #[arg(short, long)]
    verbose: bool,
}

const ROWS: Rows = Rows {
    go_type: "*formatter.diskUsageImagesContext",
    headings: &[
        ("Type", "TYPE"),
        ("TotalCount", "TOTAL"),
        ("Active", "ACTIVE"),
        ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ],
};

const BUILD_CACHE: Rows = Rows {
    go_type: "*formatter.buildCacheContext",
    headings: &[
        ("ID", "CACHE ID"),
        ("CacheType", "CACHE TYPE"),
        ("Size", "SIZE"),
        ("CreatedSince", "CREATED"),
        ("LastUsedSince", "LAST USED"),
        ("UsageCount", "USAGE"),
        ("Shared", "SHARED"),
    ],
};

impl Verb for DiskFree {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        if self.verbose && !matches!(self.format.as_str(), "" | "table") {
            anyhow::bail!("--verbose has a form of its own: it cannot be used with --format");
        }
        let format = match self.format.as_str() {
            "" | "table" => Format::new("table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"),
            "raw" => Format::new(
                "type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n",
            ),
            given => Format::new(given),
        };
        ROWS.check(&format)?;
        let usage: DiskUsage = session.connect()?.get("/system/df").json().await?;
        match self.verbose {
            true => put(details(usage)?),
            false => ROWS.print(
                &format,
                vec![
                    of_images(usage.layers_size, &usage.images.unwrap_or_default()),
                    of_containers(&usage.containers.unwrap_or_default()),
                    of_volumes(&usage.volumes.unwrap_or_default()),
                    of_builds(&usage.build_cache.unwrap_or_default()),
                ],
            ),
        }
    }
}

fn row(kind: &'static str, total: usize, active: usize, size: i64, reclaimable: String) -> Row {
    Row::new(vec![
        ("Type", kind.into()),
        ("TotalCount", total.to_string().into()),
        ("Active", active.to_string().into()),
        ("Size", units::size(size, 4).into()),
        ("Reclaimable", reclaimable.into()),
    ])
}

/// What could be had back, and which part of all that is.
fn part(reclaimable: i64, all: i64) -> String {
    let size = units::size(reclaimable, 4);
    if all > 0 { format!("{size} ({}%)", reclaimable * 100 / all) } else { size }
}

fn of_images(layers: i64, images: &[ImageSummary]) -> Row {
    let used = images.iter().filter(|image| image.containers != 0 && image.size != -1 && image.shared_size != -1);
    let used: i64 = used.map(|image| image.size - image.shared_size).sum();
    let active = images.iter().filter(|image| image.containers > 0).count();
    row("Images", images.len(), active, layers, part(layers - used, layers))
}

fn of_containers(containers: &[ContainerSummary]) -> Row {
    let runs = |container: &&ContainerSummary| matches!(container.state.as_str(), "running" | "paused" | "restarting");
    let size = |container: &ContainerSummary| container.size_rw.unwrap_or(0);
    let all: i64 = containers.iter().map(size).sum();
    let used: i64 = containers.iter().filter(runs).map(size).sum();
    row("Containers", containers.len(), containers.iter().filter(runs).count(), all, part(all - used, all))
}

fn of_volumes(volumes: &[Volume]) -> Row {
    let counted = || volumes.iter().filter_map(|volume| volume.usage_data.as_ref()).filter(|usage| usage.size != -1);
    let all: i64 = counted().map(|usage| usage.size).sum();
    let used: i64 = counted().filter(|usage| usage.ref_count != 0).map(|usage| usage.size).sum();
    let active = counted().filter(|usage| usage.ref_count > 0).count();
    row("Local Volumes", volumes.len(), active, all, part(all - used, all))
}

/// What no image has as well.
fn own(builds: &[BuildCacheRecord]) -> i64 {
    builds.iter().filter(|build| !build.shared).map(|build| build.size).sum()
}

fn of_builds(builds: &[BuildCacheRecord]) -> Row {
    let used: i64 = builds.iter().filter(|build| build.in_use && !build.shared).map(|build| build.size).sum();
    let active = builds.iter().filter(|build| build.in_use).count();
    row("Build Cache", builds.len(), active, own(builds), units::size(own(builds) - used, 4))
}

/// `-v`: a table of each kind.
fn details(usage: DiskUsage) -> anyhow::Result<String> {
    let containers = usage.containers.unwrap_or_default().into_iter().map(|mut container| {
        // Only its own.
        container.size_root_fs = None;
        container
    });
    let mut builds = usage.build_cache.unwrap_or_default();
    builds.sort_by(|one, other| (&one.last_used_at, &one.id).cmp(&(&other.last_used_at, &other.id)));
    let tables = [
        ("Images space usage:".to_owned(), images::ROWS.render(
            &Format::new("table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}"),
            usage.images.unwrap_or_default().iter().filter_map(|image| images::rows(image, true, false).into_iter().next()).collect(),
        )?),
        ("Containers space usage:".to_owned(), ps::ROWS.render(
            &Format::new("table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}"),
            containers.map(|container| ps::row(&container, true)).collect(),
        )?),
        ("Local Volumes space usage:".to_owned(), volume::ROWS.render(
            &Format::new("table {{.Name}}\t{{.Links}}\t{{.Size}}"),
            usage.volumes.unwrap_or_default().iter().map(volume::row).collect(),
        )?),
        (format!("Build cache usage: {}", units::size(own(&builds), 4)), BUILD_CACHE.render(
            &Format::new("table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}"),
            builds.iter().map(build_row).collect(),
        )?),
    ];
    Ok(tables.map(|(heading, table)| format!("{heading}\n\n{table}")).join("\n"))
}

fn build_row(build: &BuildCacheRecord) -> Row {
    let ago = |time: &str| units::ago(engine::words::seconds(time));
    let mark = if build.in_use { "*" } else { "" };
    Row::new(vec![
        ("ID", format!("{}{mark}", short_id(&build.id)).into()),
        ("CacheType", build.r#type.as_str().into()),
        ("Size", units::size(build.size, 3).into()),
        ("CreatedSince", ago(&build.created_at).into()),
        ("LastUsedSince", build.last_used_at.as_deref().map_or(String::new(), ago).into()),
        ("UsageCount", build.usage_count.to_string().into()),
        ("Shared", build.shared.to_string().into()),
    ])
}

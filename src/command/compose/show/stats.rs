//! `kesako compose stats`.

use crate::command::Verb;
use crate::command::compose::{Context, Member};
use crate::command::stats::Statistics;
use ::compose::labels;

/// Display a live stream of container(s) resource usage statistics
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Stats {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,
    #[arg(long, default_value = "", help = include_str!("../../../help/list-format.txt"))]
    format: String,
    /// Disable streaming stats and only pull the first result
    #[arg(long)]
    no_stream: bool,
    /// Do not truncate output
    #[arg(long)]
    no_trunc: bool,
    service: Option<String>,
}

impl Member for Stats {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let mut by_label = vec![format!("{}={}", labels::PROJECT, context.name()?)];
        by_label.extend(self.service.iter().map(|service| format!("{}={service}", labels::SERVICE)));
        let statistics = Statistics {
            all: self.all,
            format: self.format,
            no_stream: self.no_stream,
            no_trunc: self.no_trunc,
            containers: Vec::new(),
            labels: by_label,
        };
        statistics.run(context.session()).await
    }
}

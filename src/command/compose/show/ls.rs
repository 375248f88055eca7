//! `kesako compose ls`.

use super::table_or_json;
use crate::command::compose::{Context, Member};
use crate::flags::filter;
use crate::output::say;
use ::compose::labels;
use anyhow::bail;
use engine::api::ContainerSummary;
use regex_lite::Regex;
use serde_json::json;
use std::collections::BTreeMap;

/// List running compose projects
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct List {
    /// Show all stopped Compose projects
    #[arg(short, long)]
    all: bool,
    /// Filter output based on conditions provided
    #[arg(long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<(String, String)>,
    /// Format the output. Values: [table | json]
    #[arg(long, default_value = "table")]
    format: String,
    /// Only display project names
    #[arg(short, long)]
    quiet: bool,
}

impl Member for List {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        if let Some((key, _)) = self.filter.iter().find(|(key, _)| key != "name") {
            bail!("invalid filter '{key}'");
        }
        let by_label = BTreeMap::from([("label", [labels::PROJECT, labels::CONFIG_HASH])]);
        let client = context.connect()?;
        let request = client.get("/containers/json").query("all", self.all).query_json("filters", &by_label);
        let containers: Vec<ContainerSummary> = request.json().await?;
        let mut projects: BTreeMap<String, Vec<ContainerSummary>> = BTreeMap::new();
        for container in containers {
            let name = container.labels.get(labels::PROJECT).cloned().unwrap_or_default();
            projects.entry(name).or_default().push(container);
        }
        projects.retain(|name, _| self.filter.is_empty() || self.filter.iter().any(|(_, wanted)| fits(name, wanted)));
        if self.quiet {
            return projects.keys().try_for_each(say);
        }
        let lines: Vec<_> =
            projects.iter().map(|(name, of)| [name.clone(), status(of), files(of)]).map(Vec::from).collect();
        let json = lines.iter().map(|line| json!({"Name": line[0], "Status": line[1], "ConfigFiles": line[2]}));
        let json = json.collect();
        table_or_json(&self.format, &["NAME", "STATUS", "CONFIG FILES"], lines, json)
    }
}

/// The name itself, or an expression that matches a part of it.
fn fits(name: &str, wanted: &str) -> bool {
    name == wanted || Regex::new(wanted).is_ok_and(|wanted| wanted.is_match(name))
}

/// `exited(1), running(2)`.
fn status(containers: &[ContainerSummary]) -> String {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for container in containers {
        *states.entry(&container.state).or_default() += 1;
    }
    states.iter().map(|(state, count)| format!("{state}({count})")).collect::<Vec<_>>().join(", ")
}

/// All that its containers were made from, each once.
fn files(containers: &[ContainerSummary]) -> String {
    let mut files: Vec<&str> = Vec::new();
    for container in containers {
        let Some(list) = container.labels.get(labels::FILES) else { return "N/A".to_owned() };
        for file in list.split(',') {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    files.join(",")
}

//! `kesako compose top`.

use crate::command::compose::{Context, Member, fail};
use crate::format::align_by;
use crate::output::put;
use ::compose::containers::{self, OneOff, Wanted};
use ::compose::labels;
use engine::api::TopResponse;
use std::collections::BTreeMap;

/// Display the running processes
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Top {
    #[arg(value_name = "SERVICES")]
    services: Vec<String>,
}

impl Member for Top {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = context.connect()?;
        let name = context.name()?;
        let wanted = Wanted { project: &name, services: &self.services, one_off: OneOff::With, all: false };
        let mut containers = containers::find(&client, wanted).await.map_err(fail)?;
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        // ps may show other columns in each.
        let mut titles = vec!["SERVICE".to_owned(), "#".to_owned()];
        let mut processes: Vec<BTreeMap<String, String>> = Vec::new();
        for container in containers {
            let top: TopResponse = client.get(format!("/containers/{}/top", container.id)).json().await?;
            for title in &top.titles {
                if !titles.contains(title) {
                    titles.push(title.clone());
                }
            }
            for process in top.processes {
                let mut entry: BTreeMap<_, _> = top.titles.iter().cloned().zip(process).collect();
                entry.insert("SERVICE".to_owned(), container.service.clone());
                entry.insert("#".to_owned(), container.label(labels::NUMBER).to_owned());
                processes.push(entry);
            }
        }
        if processes.is_empty() {
            return Ok(());
        }
        // A command may be long.
        titles.sort_by_key(|title| title == "CMD");
        let line = |entry: &BTreeMap<String, String>| {
            let field = |title: &String| entry.get(title).map_or("-", String::as_str).to_owned();
            titles.iter().map(field).collect::<Vec<_>>().join("\t") + "\n"
        };
        let lines: String = processes.iter().map(line).collect();
        put(align_by(&format!("{}\n{lines}", titles.join("\t")), 4, 2))
    }
}

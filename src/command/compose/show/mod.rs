//! The commands that show what a project has: its containers, images, volumes, ports, processes, events.

pub(super) mod events;
pub(super) mod images;
pub(super) mod ls;
pub(super) mod port;
pub(super) mod ps;
pub(super) mod stats;
pub(super) mod top;
pub(super) mod version;
pub(super) mod volumes;

use crate::format::align_from;
use crate::output::put;
use anyhow::bail;
use serde_json::Value as Json;

/// `--format table` or `json`.
fn table_or_json(format: &str, headings: &[&str], rows: Vec<Vec<String>>, json: Vec<Json>) -> anyhow::Result<()> {
    match format.to_lowercase().as_str() {
        "" | "table" | "pretty" => {
            let lines = rows.iter().map(|row| row.join("\t") + "\n").collect::<String>();
            put(align_from(&format!("{}\n{lines}", headings.join("\t")), 20))
        }
        "json" => put(format_args!("{}\n", Json::Array(json))),
        _ => bail!("format value {format:?} could not be parsed: parsing failed"),
    }
}

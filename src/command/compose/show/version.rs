//! `kesako compose version`.

use crate::command::compose::{Context, Member};
use crate::output::say;
use ::compose::labels::COMPOSE;
use anyhow::bail;
use serde_json::json;

/// Show the Docker Compose version information
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Version {
    /// Format the output. Values: [pretty | json]. (Default: pretty)
    #[arg(short, long)]
    format: Option<String>,
    /// Shows only Compose's version number
    #[arg(long)]
    short: bool,
}

impl Member for Version {
    async fn run(self, _: &Context) -> anyhow::Result<()> {
        match self.format.as_deref() {
            _ if self.short => say(COMPOSE),
            None | Some("" | "pretty") => say(sentence()),
            Some("json") => say(json!({"version": format!("v{COMPOSE}"), "kesako": env!("CARGO_PKG_VERSION")})),
            Some(other) => bail!("format value {other:?} could not be parsed: parsing failed"),
        }
    }
}

/// The compose that scripts want to know of is the one whose commands, names and labels these are.
pub(in crate::command::compose) fn sentence() -> String {
    format!("Docker Compose version v{COMPOSE}, by Kesako {}", env!("CARGO_PKG_VERSION"))
}

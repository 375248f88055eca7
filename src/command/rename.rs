//! `kesako rename`.

use super::Verb;
use crate::session::{self, Session};

/// Rename a container
#[derive(Debug, clap::Args)]
pub(super) struct Rename {
    #[arg(required = true)]
    container: String,
    #[arg(required = true)]
    new_name: String,
}

impl Verb for Rename {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let (old, new) = (self.container.trim(), self.new_name.trim());
        if old.is_empty() || new.is_empty() {
            anyhow::bail!("Error: Neither old nor new names may be empty");
        }
        let client = session.connect()?;
        let renamed = client.post(format!("/containers/{old}/rename")).query("name", new).send().await;
        renamed.map_err(|error| {
            let told = session::message(&error.into());
            anyhow::anyhow!("{told}\nError: failed to rename container named {old}")
        })
    }
}

//! `kesako completion`: a script for a shell, which asks us what a word could be.

use super::{Plain, Verb};
use crate::complete;
use crate::output::{put, say};
use crate::session::Session;

/// Generate the autocompletion script for the specified shell
#[derive(Debug, clap::Args)]
pub(super) struct Completion {
    #[arg(required = true)]
    shell: String,
}

/// What the last of these words could be
#[derive(Debug, clap::Args)]
pub(super) struct Candidates {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Plain for Completion {
    fn run(self, _: Session) -> anyhow::Result<()> {
        match complete::script(&self.shell) {
            Some(script) => put(script)?,
            None => anyhow::bail!("there is a script for bash, zsh and fish, but none for {:?}", self.shell),
        }
        Ok(())
    }
}

impl Verb for Candidates {
    async fn run(self, _: Session) -> anyhow::Result<()> {
        for (word, about) in complete::candidates(&self.words).await {
            say(format!("{word}\t{about}"))?;
        }
        Ok(())
    }
}

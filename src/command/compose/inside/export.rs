//! `kesako compose export` and `commit`: the files of a container as an archive, or as an image.

use crate::arguments::integer;
use crate::command::compose::{Context, Member};
use crate::command::{Verb, commit, export};
use ::compose::containers::OneOff;

/// Export a service container's filesystem as a tar archive
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Export {
    /// index of the container if service has multiple replicas.
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    index: i64,
    /// Write to a file, instead of STDOUT
    #[arg(short, long)]
    output: Option<String>,
    #[arg(required = true)]
    service: String,
}

/// Create a new image from a service container's changes
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Commit {
    /// Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
    #[arg(short, long)]
    author: Option<String>,
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long)]
    change: Vec<String>,
    /// index of the container if service has multiple replicas.
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    index: i64,
    /// Commit message
    #[arg(short, long)]
    message: Option<String>,
    /// Pause container during commit
    #[arg(short, long, default_value_t = true, action = clap::ArgAction::Set)]
    pause: bool,
    #[arg(required = true)]
    service: String,
    reference: Option<String>,
}

/// It need not run.
async fn name(context: &Context, service: &str, index: i64) -> anyhow::Result<String> {
    let client = context.connect()?;
    Ok(context.one(&client, service, index, OneOff::With, true).await?.name)
}

impl Member for Export {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let container = name(context, &self.service, self.index).await?;
        export::Export { output: self.output, container }.run(context.session()).await
    }
}

impl Member for Commit {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let commit = commit::Commit {
            author: self.author,
            change: self.change,
            message: self.message,
            pause: self.pause,
            container: name(context, &self.service, self.index).await?,
            reference: self.reference,
        };
        commit.run(context.session()).await
    }
}

//! `kesako help`.

use super::{Plain, find};
use crate::arguments;
use crate::failure::Exit;
use crate::session::Session;

/// Help about a command
#[derive(Debug, clap::Args)]
pub(super) struct Help {
    #[arg(trailing_var_arg = true)]
    words: Vec<String>,
}

impl Plain for Help {
    fn run(self, _: Session) -> anyhow::Result<()> {
        let (entry, path, _) = find(&self.words)?;
        let command = arguments::tune((entry.arguments)(entry));
        Err(Exit::with(0, crate::help::command(&path, &command)))
    }
}

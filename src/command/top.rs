//! `kesako top`.

use super::Verb;
use crate::format::align_from;
use crate::output::put;
use crate::session::Session;
use engine::api::TopResponse;

/// Display the running processes of a container
#[derive(Debug, clap::Args)]
pub(super) struct Top {
    /// The container, and the options of ps
    #[arg(required = true, trailing_var_arg = true)]
    words: Vec<String>,
}

impl Verb for Top {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let Some((container, options)) = self.words.split_first() else { return Ok(()) };
        let client = session.connect()?;
        let options = Some(options.join(" ")).filter(|options| !options.is_empty());
        let request = client.get(format!("/containers/{container}/top")).query_opt("ps_args", options);
        let top: TopResponse = request.json().await?;
        let mut text = top.titles.join("\t") + "\n";
        for process in top.processes {
            text += &(process.join("\t") + "\n");
        }
        put(align_from(&text, 20))?;
        Ok(())
    }
}

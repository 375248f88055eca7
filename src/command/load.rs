//! `kesako load`.

use super::Verb;
use crate::flags::environment::go_text;
use crate::output::{put, say};
use crate::session::Session;
use engine::api::Progress;
use std::io::IsTerminal;

/// Load an image from a tar archive or STDIN
#[derive(Debug, clap::Args)]
pub(super) struct Load {
    /// Read from tar archive file, instead of STDIN
    #[arg(short, long)]
    input: Option<String>,
    /// Suppress the load output
    #[arg(short, long)]
    quiet: bool,
}

impl Verb for Load {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        if self.input.is_none() && std::io::stdin().is_terminal() {
            anyhow::bail!("requested load from stdin, but stdin is empty");
        }
        let archive = open(self.input.as_deref()).await?;
        let client = session.connect()?;
        let request = client.post("/images/load").query("quiet", u8::from(self.quiet)).body_stream(archive);
        let mut lines = request.lines().await?;
        while let Some(progress) = lines.next::<Progress>().await? {
            show(progress)?;
        }
        Ok(())
    }
}

/// The file, or standard input.
pub(super) async fn open(path: Option<&str>) -> anyhow::Result<Box<dyn tokio::io::AsyncRead + Send + Unpin>> {
    match path {
        None | Some("-") => Ok(Box::new(tokio::io::stdin())),
        Some(path) => match tokio::fs::File::open(path).await {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => anyhow::bail!("open {path}: {}", go_text(&error)),
        },
    }
}

/// A line of a progress stream: text is printed, an error ends the command. How far a layer is, is left out: there is
/// no waiting to speak of on one's own disk.
pub(super) fn show(progress: Progress) -> anyhow::Result<()> {
    if let Some(error) = progress.error_detail.map(|detail| detail.message).or(progress.error) {
        anyhow::bail!(error);
    }
    if let Some(text) = progress.stream {
        put(text)?;
    } else if let (Some(status), None) = (progress.status, progress.progress_detail) {
        say(status)?;
    }
    Ok(())
}

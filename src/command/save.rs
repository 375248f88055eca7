//! `kesako save`.

use super::Verb;
use crate::flags::environment::go_text;
use crate::session::Session;
use crate::terminal::{self, Writer};
use std::io::{IsTerminal, Write};
use std::path::Path;
use tokio::io::AsyncReadExt;

/// Save one or more images to a tar archive (streamed to STDOUT by default)
#[derive(Debug, clap::Args)]
pub(super) struct Save {
    /// Write to a file, instead of STDOUT
    #[arg(short, long)]
    output: Option<String>,
    #[arg(required = true)]
    images: Vec<String>,
}

impl Verb for Save {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = session.connect()?;
        let request =
            self.images.iter().fold(client.get("/images/get"), |request, image| request.query("names", image));
        receive(request, self.output.as_deref(), "save").await
    }
}

/// An archive to standard output, or to a file that appears only once it is whole.
pub(super) async fn receive(request: daemon::client::Request<'_>, to: Option<&str>, what: &str) -> anyhow::Result<()> {
    let Some(path) = to.filter(|path| !path.is_empty()) else {
        if std::io::stdout().is_terminal() {
            anyhow::bail!("cowardly refusing to {what} to a terminal. Use the -o flag or redirect");
        }
        return terminal::raw(request.reader().await?, &mut Writer::stdout()).await;
    };
    let object = if what == "save" { "image" } else { "container" };
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Err(error) = folder.metadata() {
        let why = format!("stat {}: {}", folder.display(), go_text(&error));
        anyhow::bail!("failed to {what} {object}: invalid output path: {why}");
    }
    if Path::new(path).is_dir() {
        anyhow::bail!("failed to {what} {object}: cannot write to a directory");
    }
    // Something that is not a plain file, like /dev/stdout or a FIFO, is written to and not replaced.
    let is_special = std::fs::metadata(path).is_ok_and(|meta| !meta.is_file());
    let mut archive = request.reader().await?;
    let complain = |error: std::io::Error| anyhow::anyhow!("open {path}: {}", go_text(&error));
    if is_special {
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(complain)?;
        return pour(&mut archive, &mut file).await;
    }
    let part = format!("{path}.{}.part", std::process::id());
    let mut file = std::fs::File::create_new(&part).map_err(complain)?;
    let result = pour(&mut archive, &mut file).await.and_then(|()| Ok(std::fs::rename(&part, path)?));
    if result.is_err() {
        // The error that brought us here is the one to be told.
        let _ = std::fs::remove_file(&part);
    }
    result
}

async fn pour(from: &mut daemon::client::Body, to: &mut impl Write) -> anyhow::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            n => to.write_all(&buffer[..n])?,
        }
    }
}

//! `kesako logs`.

use super::Verb;
use crate::flags::time;
use crate::session::Session;
use crate::terminal::{self, Writer};
use daemon::{FrameReader, Output};
use engine::api::ContainerInspect;

/// Fetch the logs of a container
#[derive(Debug, clap::Args)]
pub(super) struct Logs {
    /// Follow log output
    #[arg(short, long)]
    follow: bool,
    /// Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
    #[arg(long)]
    since: Option<String>,
    /// Number of lines to show from the end of the logs
    #[arg(short = 'n', long, default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
    #[arg(long)]
    until: Option<String>,
    #[arg(required = true)]
    container: String,
}

impl Verb for Logs {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = session.connect()?;
        // Only the container knows whether its log has two streams or one.
        let container: ContainerInspect = client.get(format!("/containers/{}/json", self.container)).json().await?;
        let mut request = client
            .get(format!("/containers/{}/logs", container.id))
            .query("stdout", 1)
            .query("stderr", 1)
            .query("tail", &self.tail)
            .query_opt("since", time::flag("since", self.since.as_deref())?)
            .query_opt("until", time::flag("until", self.until.as_deref())?);
        for (flag, given) in [("follow", self.follow), ("timestamps", self.timestamps)] {
            if given {
                request = request.query(flag, 1);
            }
        }
        let log = request.reader().await?;
        if container.config.tty {
            return terminal::raw(log, &mut Writer::stdout()).await;
        }
        let (mut stdout, mut stderr) = (Writer::stdout(), Writer::stderr());
        let mut frames = FrameReader::new(log);
        while let Some(frame) = frames.next().await? {
            match frame.output {
                Output::Stdout => stdout.write(&frame.data).await?,
                Output::Stderr => stderr.write(&frame.data).await?,
                Output::SystemError => {
                    anyhow::bail!("error from daemon in stream: {}", String::from_utf8_lossy(&frame.data))
                }
            }
        }
        Ok(())
    }
}

//! `kesako import`.

use super::tag::split;
use super::{Verb, load};
use crate::session::Session;
use engine::api::Progress;

/// Import the contents from a tarball to create a filesystem image
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long)]
    change: Vec<String>,
    /// Set commit message for imported image
    #[arg(short, long)]
    message: Option<String>,
    /// Set platform if server is multi-platform capable
    #[arg(long)]
    platform: Option<String>,
    /// The archive, and what to call the image
    #[arg(required = true)]
    words: Vec<String>,
}

impl Verb for Import {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let (source, reference) = match self.words.as_slice() {
            [source] => (source, None),
            [source, reference] => (source, Some(reference)),
            _ => anyhow::bail!("an archive makes one image: kesako import file|- [REPOSITORY[:TAG]]"),
        };
        if source.starts_with("http://") || source.starts_with("https://") {
            anyhow::bail!("import from a URL is not supported; download it and use: kesako import FILE");
        }
        let archive = load::open(Some(source)).await?;
        let (repository, tag) = reference.map_or((None, None), |reference| {
            let (repository, tag) = split(reference);
            (Some(repository), tag)
        });
        let client = session.connect()?;
        let mut request = client
            .post("/images/create")
            .query("fromSrc", "-")
            .query_opt("repo", repository)
            .query_opt("tag", tag)
            .query_opt("message", self.message)
            .query_opt("platform", self.platform);
        for change in &self.change {
            request = request.query("changes", change);
        }
        let mut lines = request.body_stream(archive).lines().await?;
        while let Some(progress) = lines.next::<Progress>().await? {
            load::show(progress)?;
        }
        Ok(())
    }
}

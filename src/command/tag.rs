//! `kesako tag`.

use super::Verb;
use crate::flags::reference;
use crate::session::Session;

/// Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
#[derive(Debug, clap::Args)]
pub(super) struct Tag {
    #[arg(required = true)]
    source: String,
    #[arg(required = true)]
    target: String,
}

impl Verb for Tag {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        reference::check(&self.target).map_err(|error| {
            anyhow::anyhow!("Error parsing reference: {:?} is not a valid repository/tag: {error}", self.target)
        })?;
        if self.target.contains('@') {
            anyhow::bail!("refusing to create a tag with a digest reference");
        }
        let client = session.connect()?;
        let (repository, tag) = split(&self.target);
        let request = client.post(format!("/images/{}/tag", self.source)).query("repo", repository);
        Ok(request.query_opt("tag", tag).send().await?)
    }
}

/// `repository:tag`; a colon before a slash belongs to a port.
pub fn split(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (reference, None),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(split("a:b"), ("a", Some("b")));
        assert_eq!(split("localhost:5000/a"), ("localhost:5000/a", None));
        assert_eq!(split("localhost:5000/a:b"), ("localhost:5000/a", Some("b")));
    }
}

//! `kesako manifest inspect`.

use super::{Plain, pull};
use crate::output::say;
use crate::session::Session;
use ::registry::look::Look;
use ::registry::{Error, Reference};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// Display an image manifest, or manifest list
#[derive(Debug, clap::Args)]
pub(super) struct Inspect {
    /// Allow communication with an insecure registry
    #[arg(long)]
    insecure: bool,
    #[arg(required = true)]
    name: String,
}

impl Plain for Inspect {
    fn run(self, session: Session) -> anyhow::Result<()> {
        let reference = Reference::parse(&self.name)?.or_latest();
        let mut settings = session.engine()?.registries()?;
        if self.insecure {
            settings.insecure.push(reference.domain().to_owned());
        }
        let credentials = pull::credentials(&reference)?;
        let raw = match Look::at(&settings, credentials.as_ref(), &reference)?.manifest() {
            Err(Error::NoManifest { .. } | Error::NoRepository { .. }) => {
                anyhow::bail!("no such manifest: {reference}")
            }
            raw => raw?,
        };
        let document: Value = serde_json::from_slice(&raw.bytes)?;
        // As Docker: a list is indented by three spaces, an image by a tab.
        let indent: &[u8] = if document.get("manifests").is_some() { b"   " } else { b"\t" };
        let mut text = Vec::new();
        document.serialize(&mut Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(indent)))?;
        say(String::from_utf8_lossy(&text))
    }
}

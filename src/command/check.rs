//! `kesako system check`.

use super::Plain;
use crate::failure::Exit;
use crate::output::say;
use crate::session::Session;
use engine::words;

/// Prove that everything Kesako keeps is whole
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Remove what is damaged, so that it can come again, and what nothing needs
    #[arg(long)]
    repair: bool,
}

impl Plain for Check {
    fn run(self, session: Session) -> anyhow::Result<()> {
        if let Some(host) = session.globals.host()? {
            anyhow::bail!("system check reads the files of this machine: run it where {host} is served");
        }
        let engine = session.engine()?;
        let checked = engine.check(self.repair)?;
        for problem in &checked.problems {
            say(format!("{}: {}\n  {}", problem.object, problem.what, problem.way_out))?;
        }
        let found = &checked.store;
        let mut line = format!(
            "{} images, {} blobs ({}), {} unpacked layers compared",
            found.images,
            found.blobs,
            words::size(found.bytes as i64, 3),
            found.layers
        );
        if found.unproven > 0 {
            line += &format!(", {} without an image to compare them with", found.unproven);
        }
        if let Some(registry) = &checked.registry {
            line += &format!("; registry: {} blobs ({})", registry.blobs, words::size(registry.bytes as i64, 3));
        }
        if found.garbage > 0 && !self.repair {
            line += &format!("; {} blobs and layers that nothing needs", found.garbage);
        }
        say(line)?;
        let count = checked.problems.len();
        if count == 0 {
            return say("everything is whole");
        }
        if !self.repair {
            return Err(Exit::with(1, format!("{count} problems: kesako system check --repair")));
        }
        match engine.check(false)?.problems.len() {
            0 => say("mended: everything is whole"),
            left => Err(Exit::with(1, format!("mended what could be; {left} problems are left: kesako system check"))),
        }
    }
}

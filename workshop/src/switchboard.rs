//! `use 2 mine`: which crate of a chapter the runtime is built on. It is one line of the root manifest.

use crate::catalogue::{self, Chapter};
use crate::keep::put;
use anyhow::{Context as _, Result, bail};
use colored::Colorize as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Use {
    /// The chapter
    chapter: Option<u32>,
    /// Whose
    whose: Option<Whose>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Whose {
    Mine,
    Reference,
}

impl Use {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let file = root.join("Cargo.toml");
        let manifest = fs::read_to_string(&file)?;
        let chapters = catalogue::chapters(root)?;
        let (Some(number), Some(whose)) = (self.chapter, self.whose) else {
            for chapter in &chapters {
                println!("chapter {}: {}", chapter.number, word(whose_is(&manifest, chapter)?));
            }
            println!("`cargo workshop use 1 mine` puts your chapter into the runtime, `use 1 reference` takes it out.");
            return Ok(ExitCode::SUCCESS);
        };
        let chapter = catalogue::Selection::Chapter(number).chapters(chapters)?.remove(0);
        if whose == Whose::Mine && !root.join(chapter.learners()).join("Cargo.toml").exists() {
            bail!("{} is not there yet: run `cargo workshop starters`", chapter.learners().display());
        }
        put(&file, &switch(&manifest, &chapter, whose)?)?;
        println!(
            "The runtime is built on {} chapter {number} from now on: `cargo run -- version` says so.",
            word(whose)
        );
        Ok(ExitCode::SUCCESS)
    }
}

fn word(whose: Whose) -> colored::ColoredString {
    match whose {
        Whose::Mine => "your".green(),
        Whose::Reference => "the reference's".normal(),
    }
}

/// The line of a chapter in the switchboard.
fn line(chapter: &Chapter, whose: Whose) -> String {
    let (place, package) = match whose {
        Whose::Mine => (chapter.learners(), "chapter"),
        Whose::Reference => (chapter.solution(), "solution"),
    };
    format!("{} = {{ path = \"{}\", package = \"{package}-{}\" }}", chapter.name(), place.display(), chapter.number)
}

pub fn whose_is(manifest: &str, chapter: &Chapter) -> Result<Whose> {
    let found = [Whose::Mine, Whose::Reference].into_iter().find(|whose| manifest.contains(&line(chapter, *whose)));
    found.with_context(|| format!("Cargo.toml has no line `{}`", line(chapter, Whose::Reference)))
}

pub fn switch(manifest: &str, chapter: &Chapter, whose: Whose) -> Result<String> {
    let now = whose_is(manifest, chapter)?;
    Ok(manifest.replacen(&line(chapter, now), &line(chapter, whose), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_switched() {
        let chapter = Chapter { number: 2, folder: "02-layers".into(), title: String::new(), exercises: Vec::new() };
        let manifest = "a\nlayers = { path = \"solutions/02-layers\", package = \"solution-2\" }\nb\n";
        assert_eq!(whose_is(manifest, &chapter).unwrap(), Whose::Reference);
        let mine = switch(manifest, &chapter, Whose::Mine).unwrap();
        assert_eq!(mine, "a\nlayers = { path = \"chapters/02-layers\", package = \"chapter-2\" }\nb\n");
        assert_eq!(switch(&mine, &chapter, Whose::Mine).unwrap(), mine);
        assert_eq!(switch(&mine, &chapter, Whose::Reference).unwrap(), manifest);
        assert!(switch("", &chapter, Whose::Mine).is_err());
    }
}

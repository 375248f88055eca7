//! Running the sessions of the book's pages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::compare::Comparison;
use crate::page::{self, Kind, Step};
use crate::shell::Shell;

pub(crate) struct Options {
    pub kesako: PathBuf,
    /// A daemon for the blocks of the real docker.
    pub docker: Option<String>,
    /// A clone of the repository for the blocks of the workshop, which change it; then no others are run.
    pub workshop: Option<PathBuf>,
    pub update: bool,
}

/// Runs each page from its first command on; whether all of it was as the book shows it.
pub(crate) fn check(pages: &[PathBuf], options: &Options) -> Result<bool> {
    let mut stale = 0;
    let mut ran = 0;
    for path in pages {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut steps = page::steps(&text);
        let root = nix::unistd::geteuid().is_root();
        let needs_networks = options.workshop.is_none() && steps.iter().any(|step| step.kind == Kind::Network);
        let networks = needs_networks && (root || has_networks(&options.kesako, path)?);
        steps.retain(|step| match step.kind {
            Kind::Kesako => options.workshop.is_none(),
            Kind::Network => networks,
            Kind::Root => options.workshop.is_none() && root,
            Kind::Docker => options.docker.is_some(),
            Kind::Workshop => options.workshop.is_some(),
        });
        if steps.is_empty() {
            continue;
        }
        let changes = run(path, &steps, options)?;
        ran += steps.len();
        stale += changes.len();
        if options.update && !changes.is_empty() {
            std::fs::write(path, page::rewrite(&text, &changes))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    println!("{ran} commands, {stale} {}", if options.update { "rewritten" } else { "stale" });
    Ok(stale == 0 || options.update)
}

/// Whether an ordinary user's kesako can make a network here. If not, that is told, and which page goes without.
fn has_networks(kesako: &Path, page: &Path) -> Result<bool> {
    let root = tempfile::tempdir()?;
    let kesako = |words: &[&str]| Command::new(kesako).arg("--root").arg(root.path()).args(words).output();
    let made = kesako(&["network", "create", "probe"]).context("cannot run kesako")?;
    if !made.status.success() {
        let why = String::from_utf8_lossy(&made.stderr);
        println!("NOT RUN: the networks of {}: {}", page.display(), why.lines().next().unwrap_or_default());
        return Ok(false);
    }
    anyhow::ensure!(kesako(&["network", "rm", "probe"])?.status.success(), "a network stays");
    Ok(true)
}

/// The steps that printed something else, and what they printed.
fn run<'a>(path: &Path, steps: &'a [Step], options: &Options) -> Result<Vec<(&'a Step, Vec<String>)>> {
    let page = path.file_name().unwrap_or_default().to_string_lossy();
    // What docker calls one thing, kesako may call another.
    let mut comparisons = [Comparison::new()?, Comparison::new()?];
    let mut shell = match &options.workshop {
        Some(clone) => Shell::start_in(&options.kesako, clone)?,
        None => Shell::start(&options.kesako, options.docker.as_deref())?,
    };
    let mut changes = Vec::new();
    for step in steps {
        let output = shell.run(&step.command, &step.typed()).with_context(|| format!("{page}:{}", step.at))?;
        if !comparisons[usize::from(step.kind == Kind::Docker)].fits(&step.expected, &output) {
            if !options.update {
                report(&page, step, &output);
            }
            changes.push((step, output));
        }
    }
    shell.finish()?;
    Ok(changes)
}

fn report(page: &str, step: &Step, output: &[String]) {
    println!("{page}:{}: $ {}", step.at, step.command);
    for line in &step.expected {
        println!("    book | {line}");
    }
    for line in output {
        println!("    here | {line}");
    }
}

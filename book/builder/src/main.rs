//! The book's builder. `check` runs every console session of the book and compares; `build` makes the site; `serve` shows it
//! on this machine. Only the last two need mdBook (feature `site`).

mod compare;
#[cfg(any(test, feature = "site"))]
mod exercises;
mod page;
mod serve;
mod session;
mod shell;
#[cfg(feature = "site")]
mod site;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "kesako-book", about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the site to target/book
    Build,
    /// Build it, and serve it on loopback
    Serve {
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Run the console sessions, and compare
    Check {
        /// Rewrite the sessions that are stale
        #[arg(long)]
        update: bool,
        /// Run the sessions of the real docker too, on this daemon
        #[arg(long, value_name = "HOST")]
        docker: Option<String>,
        /// Run the learner's sessions instead, in this clone of the repository, which they change
        #[arg(long, value_name = "CLONE")]
        workshop: Option<PathBuf>,
        /// The runtime to run them with [default: kesako beside this program]
        #[arg(long)]
        kesako: Option<PathBuf>,
        /// Only these pages
        pages: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("kesako-book: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<bool> {
    match task {
        Task::Build => build().map(|_| true),
        Task::Serve { port } => serve::serve(&build()?, port),
        Task::Check { update, docker, workshop, kesako, pages } => {
            let kesako = match kesako {
                Some(kesako) => kesako.canonicalize().with_context(|| format!("no {}", kesako.display()))?,
                None => built_kesako()?,
            };
            let pages = if pages.is_empty() { page::all()? } else { pages };
            session::check(&pages, &session::Options { kesako, docker, workshop, update })
        }
    }
}

#[cfg(feature = "site")]
fn build() -> Result<PathBuf> {
    site::build()
}

#[cfg(not(feature = "site"))]
fn build() -> Result<PathBuf> {
    anyhow::bail!("this needs mdBook: cargo run -p kesako-book --features site -- build (or: just book)")
}

/// Cargo puts both programs into one folder.
fn built_kesako() -> Result<PathBuf> {
    let kesako = std::env::current_exe()?.with_file_name("kesako");
    anyhow::ensure!(kesako.exists(), "there is no {}: cargo build, or name one with --kesako", kesako.display());
    Ok(kesako)
}

/// `book/`.
pub(crate) fn book() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

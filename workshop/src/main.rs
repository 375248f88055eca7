//! `cargo workshop`: the way through the chapters.
//!
//! The runtime's own crates, `solutions/NN-name`, are the reference; the learner's, `chapters/NN-name`, are made from
//! them by [`starters`]: the same crate with holes. There is one source for both, and it is marked in place.
//!
//! # How an exercise is made
//!
//! **1. Mark it in the solution.** Around the lines of a function that are the learner's to write, 5 to 25 of them:
//!
//! ```text
//! /// The task: what is wanted, in words that need no book. The function's own documentation.
//! pub fn chain(parent: Option<Digest>, diff_id: Digest) -> Digest {
//!     // exercise: 2.2 chain_id: name the layer and all below it
//!     match parent {
//!         …
//!     }
//!     // end exercise
//! }
//! ```
//!
//! The number, the name (as in `exercises.toml`), and what the `todo!()` says. The learner's file keeps both comments, with
//! `todo!("exercise 2.2, chain_id: name the layer and all below it")` between them; what stands before `#[cfg(test)] mod
//! tests` is theirs, the unit tests stay with the solution. Best where the hole goes to the end of its function, so that
//! nothing after it needs a name that was bound in it; the arguments that the hole would use may be unused in the starter,
//! which warns of nothing. One place an exercise. Not in functions that return `impl Trait`, and not in `lib.rs`.
//!
//! A file may lie anywhere: `src/x.rs`, or `src/folder/x.rs` whose parent is `src/folder/mod.rs` (never `src/folder.rs`: a
//! module named by `#[path]` looks for its children in its own folder). Only files that hold an exercise are written to
//! the chapter, with the `mod.rs` above them; every other module is the solution's, by `#[path]`.
//!
//! **2. Describe it in `solutions/NN-name/exercises.toml`**: see [`catalogue`].
//!
//! ```toml
//! title = "A container is a wrapped Unix process"    # once, of the chapter
//!
//! [[exercise]]
//! id = "2.2"
//! name = "chain_id"
//! title = "A name for a whole stack"
//! tests = ["content::a_layer_is_named_by_all_below_it"]   # paths within the suite; all of them, and only these, fail without it
//! read = ["OCI image-spec, config.md, \"Layer ChainID\""]
//! hints = ["A direction.", "The means.", "Nearly the lines themselves."]
//! ```
//!
//! **3. Two wrong answers**, `solutions/NN-name/wrong/2.2-a.rs` and `-b.rs`: what people write at first. The lines that
//! stand in place of the marked ones; the first is a comment, `// mistake: what it gets wrong`. They compile, and a
//! declared test rejects each.
//!
//! **4. Tests** in `tests/chapters/…`: what fails says what was expected, why, and what to read.
//!
//! **5. A scenario** in `workshop/scenarios.txt`, if none of them comes by: commands in which the runtime meets the hole.
//!
//! Then `cargo workshop starters` writes the chapter, `cargo workshop verify 2.2` proves all of it but the last, and
//! `cargo workshop verify 2.2 --runtime` that one.

#![forbid(unsafe_code)]
#![allow(unreachable_pub)]

mod answer;
mod catalogue;
mod doctor;
mod interrupt;
mod keep;
mod learn;
mod marks;
mod progress;
mod runtime;
mod scenario;
mod scratch;
mod starters;
mod suite;
mod switchboard;
mod verify;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use colored::Colorize as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo workshop", bin_name = "cargo workshop", about = "The way through the chapters")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What this machine has and lacks for the chapters and the runtime
    Doctor(doctor::Doctor),
    /// Which exercises are done, by running their tests
    Status(learn::Status),
    /// Run the tests of a chapter or an exercise, and say what is wrong
    Check(learn::Check),
    /// A hint; the second and third say more
    Hint(learn::Hint),
    /// Your answer beside the reference's, once it is green
    Diff(learn::Diff),
    /// Open an exercise again; what you had is kept
    Reset(answer::Reset),
    /// Give up, and take the reference's answer; what you had is kept
    Solve(answer::Solve),
    /// Whose chapter the runtime is built on: `use 2 mine`, `use 2 reference`
    Use(switchboard::Use),
    /// Write `chapters/` from the marked solutions; what you have written there is kept
    Starters(starters::Starters),
    /// Prove the exercises: without one, exactly its tests fail, and the wrong answers are rejected
    Verify(verify::Verify),
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{} {error:#}", "workshop:".red());
            ExitCode::from(2)
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    interrupt::watch()?;
    let root = root()?;
    match Arguments::parse().command {
        Command::Doctor(command) => Ok(command.run(&root)),
        Command::Status(command) => command.run(&root),
        Command::Check(command) => command.run(&root),
        Command::Hint(command) => command.run(&root),
        Command::Diff(command) => command.run(&root),
        Command::Reset(command) => command.run(&root),
        Command::Solve(command) => command.run(&root),
        Command::Use(command) => command.run(&root),
        Command::Starters(command) => command.run(&root),
        Command::Verify(command) => command.run(&root),
    }
}

/// The repository's folder: the one above us that has `solutions/` in it.
fn root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let found = here.ancestors().find(|folder| folder.join("solutions").is_dir() && folder.join("Cargo.toml").exists());
    found.map(PathBuf::from).context("this folder is not in the kesako repository")
}

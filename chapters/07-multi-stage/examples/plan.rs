//! What a Dockerfile's stages need of each other: `cargo run -p chapter-7 --example plan -- DOCKERFILE [--target STAGE] [--dot]`.
//!
//! ```text
//! plan dockerfile.multi --target first
//! plan dockerfile.multi --dot | dot -Tsvg > stages.svg
//! ```
//! Nothing is built, and no image is looked at: what an image's own ONBUILD would add is not shown.

extern crate chapter_7 as multi_stage;

use build::expand::Args;
use build::expand::args::automatic;
use layers::manifest::Platform;
use multi_stage::plan::{Dot, Plan};
use multi_stage::{Asked, Graph};
use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    match plan() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn plan() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut file, mut target, mut dot) = (None, String::new(), false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--target" => target = arguments.next().ok_or("--target needs a stage")?,
            "--dot" => dot = true,
            _ => file = Some(argument),
        }
    }
    let file = file.ok_or("usage: plan DOCKERFILE [--target STAGE] [--dot]")?;
    let parsed = build::dockerfile::parse(&file, &std::fs::read(&file)?)?;
    let host = Platform::host();
    let args = Args::new(&parsed, &BTreeMap::new(), automatic(&host, &host, &target))?;
    let asked = Asked { target: &target, args: &args, contexts: &BTreeMap::new(), triggers: &|_| Vec::new() };
    let graph = Graph::new(&parsed, &asked)?;
    match dot {
        true => print!("{}", Dot(&graph)),
        false => print!("{}", Plan(&graph)),
    }
    Ok(())
}

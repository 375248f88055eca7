//! Builds an image of a folder, and tells what happens: `cargo run -p kesako-engine --example build -- FOLDER [TAG]`.
//! Everything is kept beneath `KESAKO_ROOT`, as for `kesako`.

#![allow(clippy::print_stdout, reason = "it is what it is for")]

use build::cancel::Cancel;
use kesako_engine::api::BuildOptions;
use kesako_engine::{Engine, Roots};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    kesako_engine::be_shim_if_called_so();
    match run() {
        Ok(id) => println!("{id}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run() -> Result<String, Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("usage: build FOLDER [TAG]")?;
    kesako_engine::bootstrap()?;
    let engine = Engine::open(Roots::find(None)?)?;
    let options = BuildOptions {
        context_folder: Some(std::path::absolute(PathBuf::from(folder))?),
        tags: words.collect(),
        explain: true,
        verify: std::env::var_os("VERIFY").is_some(),
        keep_failed: true,
        ..BuildOptions::default()
    };
    let cancel = Cancel::new()?;
    Ok(engine.build(&options, None, &|event| println!("{event:?}"), &cancel)?.id)
}

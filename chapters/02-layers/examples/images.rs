//! A store of images in a folder, by hand: `cargo run -p chapter-2 --example images -- FOLDER COMMAND…`.
//!
//! ```text
//! images /tmp/store load < alpine.tar          images /tmp/store history alpine
//! images /tmp/store list                       images /tmp/store save alpine > again.tar
//! images /tmp/store tag alpine mine:1          images /tmp/store remove mine:1
//! images /tmp/store import rootfs < rootfs.tar images /tmp/store folders alpine
//! ```

extern crate chapter_2 as layers;

use layers::import::{Import, import};
use layers::remove::Removed;
use layers::{Reference, Result, Store, archive};
use std::io::{stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [folder, command @ ..] = arguments.as_slice() else {
        eprintln!("usage: images FOLDER load|list|tag|history|folders|save|remove|prune|import …");
        return ExitCode::from(2);
    };
    match Store::open(Path::new(folder)).and_then(|store| run(&store, command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("images: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(store: &Store, command: &[&str]) -> Result<()> {
    match command {
        ["load"] => archive::load(store, &mut stdin())?.iter().for_each(|loaded| println!("{loaded}")),
        ["list"] => {
            for image in store.images()? {
                println!("{}  {:?}  {} bytes", image.id.short(), image.tags(), store.size(&image)?);
            }
        }
        ["tag", image, name] => store.tag(&store.resolve(image)?, &Reference::parse(name)?)?,
        ["history", image] => {
            for step in store.history(&store.resolve(image)?)? {
                println!("{:>10}  {}", step.size, step.created_by);
            }
        }
        ["folders", image] => {
            for folder in store.layer_folders(&store.resolve(image)?)? {
                println!("{}", folder.display());
            }
        }
        ["save", images @ ..] => {
            let names: Vec<String> = images.iter().map(|name| (*name).to_owned()).collect();
            archive::save(store, &names, &mut stdout().lock())?;
        }
        ["remove", image] => show(&store.remove(image, false, true, &|| Ok(Vec::new()))?),
        ["prune"] => show(&store.prune(false, &|_| true, &|| Ok(Vec::new()))?.0),
        ["import", name] => {
            let about = Import { name: Some(Reference::parse(name)?.or_latest()), ..Import::default() };
            println!("{}", import(store, &mut stdin(), about)?.id);
        }
        other => eprintln!("images: unknown command {other:?}"),
    }
    Ok(())
}

fn show(removed: &[Removed]) {
    for step in removed {
        match step {
            Removed::Untagged(name) => println!("Untagged: {name}"),
            Removed::Deleted(digest) => println!("Deleted: {digest}"),
        }
    }
}

//! `COPY . /` without an image: the digest of a folder, and, if there is a second one, a copy in it.
//!
//! ```text
//! cargo run --release -p chapter-3 --example copy -- CONTEXT [DESTINATION [CACHE]]
//! ```

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Instant;

use chapter_3::context::Context;
use chapter_3::copy::{self, Target};
use chapter_3::instruction::Copy;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(folder) = arguments.first() else { return Err("usage: copy CONTEXT [DESTINATION [CACHE]]".into()) };
    let start = Instant::now();
    let mut context = Context::folder(Path::new(folder), arguments.get(2).map(Path::new))?;
    context.tree_mut().read_ignore(None)?;
    let copy = Copy { sources: vec![".".into()], destination: "/".into(), ..Copy::default() };
    let plan = copy::resolve(&copy, "/", context.tree(), None)?;
    let (files, bytes, digest) = (plan.files(), plan.bytes(), plan.digest());
    println!("{digest}  {files} files, {bytes} bytes, {:?}", start.elapsed());
    if let Some(destination) = arguments.get(1).filter(|path| !path.is_empty()) {
        let start = Instant::now();
        let root = File::open(destination)?;
        let written = plan.write(Target { root: root.as_fd(), owner: None, time: 315_532_801, cancel: None })?;
        written.notes.iter().for_each(|note| println!("{note}"));
        println!("copied in {:?}", start.elapsed());
    }
    let start = Instant::now();
    drop(context);
    println!("remembered in {:?}", start.elapsed());
    Ok(())
}

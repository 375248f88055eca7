//! A context that is large: 20,000 files, 1 GB.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::builders::{data_root, kesako};

const FOLDERS: usize = 200;
const FILES: usize = 100;
const SIZE: usize = 50_000;

/// Prints the time and the memory of the first build, and of the second, for which nothing has changed.
pub(crate) fn report(folder: &Path) -> Result<()> {
    let context = folder.join("large");
    make(&context)?;
    println!("\na context of {} files, {} MB\n", FOLDERS * FILES, FOLDERS * FILES * SIZE / 1_000_000);
    for what in ["first build", "nothing changed"] {
        let mut command = Command::new(kesako()?);
        command.args(["build", "-q", "-t", "large"]).arg(&context).env("KESAKO_ROOT", data_root(folder));
        let start = Instant::now();
        let output = command.output()?;
        let time = start.elapsed();
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        println!("{what:<16} {:>7.2} s", time.as_secs_f64());
    }
    // The largest of all children so far; the builds of the other cases are smaller.
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)?;
    println!("peak memory of the largest process: {} MB", usage.max_rss() / 1024);
    Ok(())
}

/// Files that are all different, and as compressible as text.
fn make(context: &Path) -> Result<()> {
    let mut content = vec![b'.'; SIZE];
    for folder in 0..FOLDERS {
        let folder_path = context.join(format!("folder-{folder}"));
        fs::create_dir_all(&folder_path)?;
        for file in 0..FILES {
            let mark = format!("{folder} {file}\n");
            content[..mark.len()].copy_from_slice(mark.as_bytes());
            fs::write(folder_path.join(format!("file-{file}")), &content).context("cannot make a large context")?;
        }
    }
    Ok(fs::write(context.join("Dockerfile"), "FROM workbench\nCOPY . /data\n")?)
}

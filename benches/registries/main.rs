//! `just bench-registry`: how fast images travel, beside Docker, podman and Debian's registry.
//!
//! `registries [PART…]`: `pull`, `push`, `feed`; without a word all of them. Everything runs on loopback and in a folder of its
//! own. The image has five layers and 500 MB, and is made anew: the same every time.

mod content;
mod disk;
#[path = "../docker.rs"]
mod docker;
mod engines;
mod feed;
mod pull;
mod push;
mod server;
mod wire;

use anyhow::{Context, Result};
use content::Image;
use disk::Disk;
use std::path::Path;
use std::time::{Duration, Instant};

/// A part, by its name.
type Part = (&'static str, fn(&Path, &Image) -> Result<()>);

const PARTS: [Part; 3] = [("pull", pull::report), ("push", push::report), ("feed", feed::report)];

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let folder =
        tempfile::Builder::new().prefix("kesako-bench-").tempdir().context("cannot make a folder to work in")?;
    let disk = Disk::mount(folder.path());
    let place = match &disk {
        Ok(disk) => disk.place(),
        Err(error) => {
            eprintln!("NO DISK OF ITS OWN, so the numbers are also those of the filesystem that you have: {error:#}");
            folder.path()
        }
    };
    let image = Image::make(&place.join("image"))?;
    println!("an image of {} layers: {}", image.layers.len(), image.told());
    for (name, report) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            let own = place.join(name);
            std::fs::create_dir(&own)?;
            report(&own, &image).with_context(|| format!("part {name}"))?;
        }
    }
    Ok(())
}

/// How long something takes, on a disk that has nothing left to do from before.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<Duration> {
    rustix::fs::sync();
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// A table of times, the first line's being what the others are compared with.
fn print(title: &str, lines: &mut [(String, Vec<Duration>)]) {
    println!("\n{title}\n\n{:<34} {:>10} {:>10} {:>8}", "", "best", "median", "×");
    let mut first = None;
    for (name, times) in lines {
        times.sort_unstable();
        let Some(best) = times.first().map(Duration::as_secs_f64) else { continue };
        let median = times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64);
        let ratio = best / *first.get_or_insert(best);
        println!("{name:<34} {best:>8.2} s {median:>8.2} s {ratio:>8.2}");
    }
}

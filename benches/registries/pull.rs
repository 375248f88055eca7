//! From a registry to a store from which a container can be started.

use crate::content::{Blob, Image};
use crate::server::Server;
use crate::wire::{Wire, fetch_all};
use crate::{engines, print, timed};
use anyhow::{Context, Result};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const ROUNDS: usize = 5;

pub(crate) fn report(folder: &Path, image: &Image) -> Result<()> {
    let server = Server::kesako(folder)?;
    Wire::to(&server.host)?.put("app", image)?;
    let name = format!("{}/app:v1", server.host);
    let largest = image.layers.iter().max_by_key(|blob| blob.unpacked).context("no layers")?;
    let engines = engines::all(folder, true)?;
    let mut lines: Vec<(String, Vec<_>)> = engines.iter().map(|engine| (engine.name.to_owned(), vec![])).collect();
    let (mut wire, mut slowest, mut all) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        for (engine, (_, times)) in engines.iter().zip(&mut lines) {
            times.push(timed(|| engine.pull(&name))?);
            engine.remove(&name)?;
        }
        wire.push(timed(|| fetch_all(&server.host, "app", image))?);
        slowest.push(timed(|| inflate(largest))?);
        all.push(timed(|| inflate_all(image))?);
    }
    lines.push(("the wire alone".to_owned(), wire));
    lines.push(("inflating the largest layer alone".to_owned(), slowest));
    lines.push(("inflating all, on all processors".to_owned(), all));
    print(&format!("pull, best of {ROUNDS} in turn"), &mut lines);
    Ok(())
}

/// Inflates all layers, the largest first, on as many threads as there are processors: what a pull cannot be faster than.
fn inflate_all(image: &Image) -> Result<()> {
    let mut layers: Vec<&Blob> = image.layers.iter().collect();
    layers.sort_by_key(|blob| std::cmp::Reverse(blob.unpacked));
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(blob) = layers.get(next.fetch_add(1, Ordering::Relaxed)) {
            inflate(blob)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism()?.get();
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?)
    })
}

/// Inflates a layer to nowhere.
fn inflate(blob: &Blob) -> Result<()> {
    let mut stream = GzDecoder::new(BufReader::with_capacity(128 << 10, File::open(&blob.path)?));
    let count = std::io::copy(&mut stream, &mut std::io::sink())?;
    anyhow::ensure!(count == blob.unpacked, "it unpacks to {count} bytes");
    Ok(())
}

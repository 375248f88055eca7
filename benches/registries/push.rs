//! What was pulled goes back, to where none of it is.

use crate::content::Image;
use crate::server::Server;
use crate::wire::Wire;
use crate::{engines, print, timed};
use anyhow::Result;
use std::path::Path;

const ROUNDS: usize = 5;

pub(crate) fn report(folder: &Path, image: &Image) -> Result<()> {
    let origin = Server::kesako(folder)?;
    Wire::to(&origin.host)?.put("app", image)?;
    let name = format!("{}/app:v1", origin.host);
    let engines = engines::all(folder, true)?;
    for engine in &engines {
        engine.pull(&name)?;
    }
    let mut lines: Vec<(String, Vec<_>)> = engines.iter().map(|engine| (engine.name.to_owned(), vec![])).collect();
    for round in 0..ROUNDS {
        for (engine, (_, times)) in engines.iter().zip(&mut lines) {
            // An empty registry each time, for all the same one.
            let place = folder.join(format!("{}-{round}", engine.name));
            std::fs::create_dir(&place)?;
            let server = Server::kesako(&place)?;
            let there = format!("{}/app:v1", server.host);
            engine.tag(&name, &there)?;
            times.push(timed(|| engine.push(&there))?);
            drop(server);
            std::fs::remove_dir_all(&place)?;
        }
    }
    print(&format!("push, best of {ROUNDS} in turn"), &mut lines);
    Ok(())
}

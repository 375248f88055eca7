//! Eight machines of a workshop fetch the same image from one registry.

use crate::content::Image;
use crate::server::Server;
use crate::wire::{Wire, fetch_all};
use crate::{print, timed};
use anyhow::Result;
use std::path::Path;

const CLIENTS: usize = 8;
const ROUNDS: usize = 7;
const MEGA: u64 = 1 << 20;

pub(crate) fn report(folder: &Path, image: &Image) -> Result<()> {
    let mut servers = vec![Server::kesako(folder)?];
    match Server::debians(folder) {
        Ok(server) => servers.push(server),
        Err(error) => eprintln!("docker-registry IS LEFT OUT: {error:#}"),
    }
    let mut memory = Vec::new();
    for server in &servers {
        Wire::to(&server.host)?.put("app", image)?;
        fetch_all(&server.host, "app", image)?;
        memory.push((server.memory("VmRSS")?, server.memory("VmHWM")?));
    }
    let mut lines: Vec<(String, Vec<_>)> = servers.iter().map(|server| (server.name.to_owned(), vec![])).collect();
    for _ in 0..ROUNDS {
        for (server, (_, times)) in servers.iter().zip(&mut lines) {
            times.push(timed(|| feed(&server.host, image))?);
        }
    }
    print(&format!("{CLIENTS} clients, each fetching all layers, best of {ROUNDS} in turn"), &mut lines);
    let sent = image.layers.iter().map(|blob| blob.size).sum::<u64>() * CLIENTS as u64;
    println!(
        "\n({} MiB in all)\n\n{:<34} {:>10} {:>10} {:>10}",
        sent / MEGA,
        "memory, in MiB",
        "push",
        "1 client",
        "8 clients"
    );
    for (server, (now, peak)) in servers.iter().zip(memory) {
        let most = server.memory("VmHWM")?;
        println!("{:<34} {:>10} {:>10} {:>10}", server.name, peak / MEGA, now / MEGA, most / MEGA);
    }
    Ok(())
}

/// All clients at once, each layer after layer over one connection.
fn feed(host: &str, image: &Image) -> Result<()> {
    let client = || {
        let mut wire = Wire::to(host)?;
        image.layers.iter().try_for_each(|blob| wire.fetch("app", &blob.digest).map(drop))
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })
}

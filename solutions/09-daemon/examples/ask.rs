//! `ask [HOST] PATH`: one question to a Docker Engine API, be it a daemon's or the engine's in this very process.
//!
//! ```text
//! cargo run -p solution-9 --example ask -- /version
//! cargo run -p solution-9 --example ask -- unix:///var/run/docker.sock '/containers/json?all=1'
//! cargo run -p solution-9 --example ask -- unix:///tmp/kesako.sock /events
//! ```
//! The answer is written as it comes: `/events` goes on until it is interrupted.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use daemon::Client;
use engine::{Engine, Roots};
use solution_9 as daemon;
use tokio::io::AsyncReadExt;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    // First of all, while there is one thread: an ordinary user becomes root of a user namespace.
    engine::bootstrap(None)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.as_slice() {
        [path] => runtime.block_on(async {
            let engine = Arc::new(Engine::open(Roots::find(None)?)?);
            ask(&Client::in_process(engine), path).await
        }),
        [host, path] => runtime.block_on(async { ask(&Client::connect(host)?, path).await }),
        _ => Err("usage: ask [HOST] PATH".into()),
    }
}

async fn ask(client: &Client, path: &str) -> Result<(), Box<dyn Error>> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let request = pairs.fold(client.get(path), |request, (name, value)| request.query(name, value));
    let mut body = request.reader().await?;
    let mut buffer = vec![0; 8 << 10];
    loop {
        match body.read(&mut buffer).await? {
            0 => return Ok(()),
            count => std::io::stdout().write_all(&buffer[..count])?,
        }
    }
}

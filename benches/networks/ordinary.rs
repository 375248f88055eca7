//! What the networks of an ordinary user cost, beside root's: in by a published port, out to the host, and at the start of a container.

use crate::engines::{Engine, Engines};
use crate::median;
use crate::place::{HOST, within};
use crate::ports::{Neighbour, publish, send};
use anyhow::Result;
use std::net::TcpListener;
use std::time::Instant;

const ROUNDS: usize = 20;
/// Nobody in particular.
const USER: u32 = 54_321;

pub(crate) fn report(engines: &Engines) -> Result<()> {
    let mut neighbour = Neighbour::new()?;
    let ordinary = engines.kesako.of_user(USER, &engines.folder)?;
    let host = TcpListener::bind((HOST, 90))?;
    let ways = [("root", &engines.kesako, 8080), ("an ordinary user", &ordinary, 8082)];
    println!("\none connection by TCP, in to a container's published port and out to the host, {ROUNDS} rounds");
    println!("\n{:<18} {:>15} {:>15} {:>15} {:>15}", "", "in, fastest", "median", "out, fastest", "median");
    for (name, engine, port) in ways {
        let listener = publish(engine, port)?;
        let container = engine.pid("ports")?;
        let (mut inward, mut outward) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            inward.push(send(&listener, &format!("127.0.0.1:{port}"))?);
            outward.push(within(container, || send(&host, &format!("{HOST}:90")))?);
        }
        let fastest = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
        let figures = [fastest(&inward), median(&mut inward), fastest(&outward), median(&mut outward)];
        println!("{name:<18} {}", figures.map(|figure| format!("{figure:>8.1} Gbit/s")).join(" "));
    }
    println!("\nrun --rm IMAGE true while another container runs, {ROUNDS} rounds");
    for (name, engine, _) in ways {
        let bare = time(engine, &["run", "--rm", "--network", "none", "workbench", "true"])?;
        let plugged = time(engine, &["run", "--rm", "workbench", "true"])?;
        println!("{name:<18} {bare:>6.1} ms without a network, {plugged:>6.1} ms with");
    }
    for (_, engine, _) in ways {
        engine.tell(&["rm", "-f", "ports"])?;
    }
    neighbour.end()
}

/// In milliseconds.
fn time(engine: &Engine, words: &[&str]) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        engine.tell(words)?;
        times.push(1000.0 * start.elapsed().as_secs_f64());
    }
    Ok(median(&mut times))
}

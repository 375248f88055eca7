//! `just bench`: the floor, Kesako, runc and Docker start the same command from the same image, in turn.
//!
//! In turn, so that what else happens on the machine (another build, a disk that writes back) hits all alike; each round
//! runs every contender once. Medians, since a single slow run says nothing about the rest.
//!
//! `compare [ROUNDS] [NAME…]`: so many rounds (30), only contenders with these names.

mod contenders;
#[path = "../docker.rs"]
mod docker;
mod shim;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use contenders::{Contender, contenders};

const WARM_UP: usize = 3;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let rounds = arguments.next_if(|first| first.parse::<usize>().is_ok());
    let rounds = rounds.map_or(Ok(30), |rounds| rounds.parse())?;
    let names: Vec<String> = arguments.collect();

    let folder =
        tempfile::Builder::new().prefix("kesako-bench-").tempdir().context("cannot make a folder to work in")?;
    let mut contenders = contenders(folder.path())?;
    contenders.retain(|contender| names.is_empty() || names.iter().any(|name| name == contender.name));

    let times = run(&contenders, rounds)?;
    print(&contenders, &times, rounds);
    shim::report(folder.path())
}

/// Every contender's times, sorted.
fn run(contenders: &[Contender], rounds: usize) -> Result<Vec<Vec<Duration>>> {
    let mut times = vec![vec![]; contenders.len()];
    for round in 0..WARM_UP + rounds {
        for (contender, times) in contenders.iter().zip(&mut times) {
            let mut command = contender.command(round);
            let start = Instant::now();
            let output = command.output().with_context(|| format!("cannot run {}", contender.name))?;
            let time = start.elapsed();
            anyhow::ensure!(output.status.success(), "{}: {}", contender.name, String::from_utf8_lossy(&output.stderr));
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    Ok(times)
}

fn print(contenders: &[Contender], times: &[Vec<Duration>], rounds: usize) {
    let median = |times: &Vec<Duration>| times.get(times.len() / 2).map_or(f64::NAN, milliseconds);
    let of = |name| contenders.iter().position(|contender| contender.name == name).map(|at| median(&times[at]));
    let floor = of("floor");
    println!("run --rm --network none IMAGE true, {rounds} rounds\n");
    println!("{:<10} {:>10} {:>10} {:>10} {:>10}", "", "median", "fastest", "slowest", "× floor");
    for (contender, times) in contenders.iter().zip(times) {
        let ratio = floor.map_or(String::new(), |floor| format!("{:.1}", median(times) / floor));
        let [first, .., last] = &times[..] else { continue };
        println!(
            "{:<10} {:>7.1} ms {:>7.1} ms {:>7.1} ms {ratio:>10}",
            contender.name,
            median(times),
            milliseconds(first),
            milliseconds(last),
        );
    }
    for other in ["runc", "docker"] {
        if let (Some(kesako), Some(other_time)) = (of("kesako"), of(other)) {
            println!("\nkesako is {:.1} × as fast as {other}", other_time / kesako);
        }
    }
}

fn milliseconds(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

//! `just bench-builds`: Kesako, Docker's classic builder and buildah build the same Dockerfiles, in turn.
//!
//! `builds [ROUNDS] [--large]`: so many rounds (10); with `--large` also a context of 20,000 files and 1 GB, by Kesako
//! alone: once when it is new, and once when nothing has changed.

mod builders;
#[path = "../docker.rs"]
mod docker;
mod large;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use builders::{Builder, builders};

/// A Dockerfile, and whether its steps may be reused.
struct Case {
    name: &'static str,
    cached: bool,
}

const CASES: [Case; 2] = [
    Case { name: "10 steps, all of them reused", cached: true },
    Case { name: "10 small RUNs, none reused", cached: false },
];

fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let large = arguments.iter().any(|argument| argument == "--large");
    arguments.retain(|argument| argument != "--large");
    let rounds = arguments.first().map_or(Ok(10), |rounds| rounds.parse()).context("ROUNDS must be a number")?;

    let folder =
        tempfile::Builder::new().prefix("kesako-bench-").tempdir().context("cannot make a folder to work in")?;
    let context = folder.path().join("context");
    fs::create_dir(&context)?;
    fs::write(context.join("Dockerfile"), dockerfile())?;
    let builders = builders(folder.path())?;
    for case in CASES {
        let times = run(&builders, &case, &context, rounds)?;
        print(&builders, &case, &times);
    }
    if large { large::report(folder.path()) } else { Ok(()) }
}

/// As people write them: one small command after the other.
fn dockerfile() -> String {
    let steps: String = (1..=10).map(|step| format!("RUN echo {step} > /step-{step}\n")).collect();
    format!("FROM workbench\n{steps}")
}

/// Every builder's times, sorted. One more round, the first, warms up.
fn run(builders: &[Builder], case: &Case, context: &Path, rounds: usize) -> Result<Vec<Vec<Duration>>> {
    let mut times = vec![vec![]; builders.len()];
    for round in 0..=rounds {
        for (builder, times) in builders.iter().zip(&mut times) {
            let mut command = builder.command(context, case.cached);
            let start = Instant::now();
            let output = command.output().with_context(|| format!("cannot run {}", builder.name))?;
            let time = start.elapsed();
            anyhow::ensure!(output.status.success(), "{}: {}", builder.name, String::from_utf8_lossy(&output.stderr));
            if round > 0 {
                times.push(time);
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    Ok(times)
}

fn print(builders: &[Builder], case: &Case, times: &[Vec<Duration>]) {
    println!("\n{}\n\n{:<10} {:>11} {:>11} {:>11} {:>10}", case.name, "", "median", "fastest", "slowest", "× kesako");
    let median = |times: &[Duration]| times.get(times.len() / 2).map_or(f64::NAN, milliseconds);
    let kesako = times.first().map_or(f64::NAN, |times| median(times));
    for (builder, times) in builders.iter().zip(times) {
        let [first, .., last] = &times[..] else { continue };
        let median = median(times);
        println!(
            "{:<10} {median:>8.1} ms {:>8.1} ms {:>8.1} ms {:>10.1}",
            builder.name,
            milliseconds(first),
            milliseconds(last),
            median / kesako
        );
    }
}

fn milliseconds(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

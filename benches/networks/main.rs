//! `just bench-networks`: what Kesako's networks cost, beside Docker's.
//!
//! `networks [PART…]`: `start`, `ports`, `ordinary`, `names`, `many`; without a word all of them. It takes root, and goes into a network
//! namespace of its own first, so that neither engine touches the machine's network.

#[path = "../docker.rs"]
mod docker;
mod engines;
mod many;
mod names;
mod ordinary;
mod place;
mod ports;
mod start;

use anyhow::{Context, Result};
use engines::Engines;

/// A part, by its name.
type Part = (&'static str, fn(&Engines) -> Result<()>);

const PARTS: [Part; 5] = [
    ("start", start::report),
    ("ports", ports::report),
    ("ordinary", ordinary::report),
    ("names", names::report),
    ("many", many::report),
];

fn main() -> Result<()> {
    anyhow::ensure!(rustix::process::geteuid().is_root(), "networks take root");
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    place::leave_for_a_network_of_our_own()?;
    let folder =
        tempfile::Builder::new().prefix("kesako-bench-").tempdir().context("cannot make a folder to work in")?;
    let engines = Engines::new(folder.path())?;
    for (name, report) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            report(&engines).with_context(|| format!("part {name}"))?;
        }
    }
    Ok(())
}

/// The middle one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

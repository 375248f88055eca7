//! Whether a container more costs more where there are many: two hundred on one network, one after the other.

use crate::engines::Engines;
use crate::median;
use anyhow::Result;
use std::time::Instant;

const ALL: usize = 200;
const FEW: usize = 10;

pub(crate) fn report(engines: &Engines) -> Result<()> {
    let kesako = &engines.kesako;
    kesako.tell(&["network", "create", "many"])?;
    let mut times = Vec::new();
    for _ in 0..ALL {
        let start = Instant::now();
        kesako.tell(&["run", "-d", "--network", "many", "workbench", "sleep", "600"])?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    println!("\nrun -d on a network, one after the other (median of {FEW})\n");
    for last in [FEW, ALL / 2, ALL] {
        println!("up to {last:>3} containers {:>8.1} ms", median(&mut times[last - FEW..last]));
    }
    let ids = kesako.tell(&["ps", "-aq"])?;
    kesako.tell(&["rm", "-f"].into_iter().chain(ids.lines()).collect::<Vec<_>>())?;
    // All at once.
    let started = |n: usize| {
        let name = format!("c{n}");
        kesako.command(&["run", "-d", "--name", &name, "--network", "many", "workbench", "sleep", "600"]).output()
    };
    let start = Instant::now();
    let failed = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..100).map(|n| scope.spawn(move || started(n))).collect();
        let well = |run: std::thread::ScopedJoinHandle<'_, std::io::Result<std::process::Output>>| matches!(run.join(), Ok(Ok(output)) if output.status.success());
        runs.into_iter().map(well).filter(|well| !well).count()
    });
    println!("100 at once: {:.1} s, {failed} failed", start.elapsed().as_secs_f64());
    let ids = kesako.tell(&["ps", "-aq"])?;
    kesako.tell(&["rm", "-f"].into_iter().chain(ids.lines()).collect::<Vec<_>>())?;
    kesako.tell(&["network", "rm", "many"])?;
    Ok(())
}

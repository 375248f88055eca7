//! A container on the default bridge, from nothing to nothing.

use crate::engines::{Engines, beside_me};
use crate::median;
use anyhow::Result;
use std::process::Command;
use std::time::Instant;

const WARM_UP: usize = 3;
const ROUNDS: usize = 30;

pub(crate) fn report(engines: &Engines) -> Result<()> {
    let scratch = engines.folder.join("scratch");
    std::fs::create_dir(&scratch)?;
    let floor = beside_me("floor")?;
    let words = ["run", "--rm", "workbench", "true"];
    let mut names = vec!["floor"];
    names.extend(engines.all().map(|engine| engine.name));
    let mut times = vec![Vec::new(); names.len()];
    for round in 0..WARM_UP + ROUNDS {
        let mut bare = Command::new(&floor);
        bare.arg(&engines.rootfs).arg(&scratch).arg("true");
        let commands = std::iter::once(bare).chain(engines.all().map(|engine| engine.command(&words)));
        for (mut command, times) in commands.zip(&mut times) {
            let start = Instant::now();
            let output = command.output()?;
            let time = start.elapsed().as_secs_f64() * 1000.0;
            anyhow::ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    println!("\nrun --rm workbench true, on the default bridge, {ROUNDS} rounds\n");
    println!("{:<10} {:>11} {:>11}", "", "median", "fastest");
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    for ((name, times), median) in names.iter().zip(&times).zip(&medians) {
        println!("{name:<10} {median:>8.1} ms {:>8.1} ms {:>6.1} × floor", times[0], median / medians[0]);
    }
    if let Some(docker) = medians.get(2) {
        println!("\nkesako is {:.1} × as fast as docker", docker / medians[1]);
    }
    Ok(())
}

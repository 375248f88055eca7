//! What Kesako costs while a container runs, and while none does.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::contenders::{beside_me, data_root};

/// Prints the private memory of a running container's shim, and how many processes are left when it is gone.
pub(crate) fn report(folder: &Path) -> Result<()> {
    let id = kesako(folder, &["run", "-d", "--network", "none", "workbench", "sleep", "1000"])?;
    // After a second it gives back what only the start needed.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let measured = measure(folder, &id);
    kesako(folder, &["rm", "-f", &id])?;
    let (kib, threads, running) = measured?;
    println!("\nprivate memory of a shim: {kib} KiB, in {threads} thread(s); processes with one container: {running}");
    println!("processes without containers: {}", processes()?.len());
    Ok(())
}

fn measure(folder: &Path, id: &str) -> Result<(u64, usize, usize)> {
    let init = kesako(folder, &["inspect", "--format", "{{.State.Pid}}", id])?;
    let stat = fs::read_to_string(format!("/proc/{init}/stat")).with_context(|| format!("no process {init}"))?;
    let shim = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)).context("no parent in stat")?;
    let rollup = fs::read_to_string(format!("/proc/{shim}/smaps_rollup"))?;
    let kib = |name: &str| -> u64 {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    };
    let threads = fs::read_dir(format!("/proc/{shim}/task"))?.count();
    Ok((kib("Private_Clean:") + kib("Private_Dirty:"), threads, processes()?.len()))
}

/// All processes that execute this build's kesako. (From a sealed copy, too: it has the same inode.)
fn processes() -> Result<Vec<String>> {
    use std::os::unix::fs::MetadataExt;
    let same = fs::metadata(beside_me("kesako")?)?;
    let pids = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_kesako = |pid: &String| {
        fs::metadata(format!("/proc/{pid}/exe")).is_ok_and(|exe| (exe.dev(), exe.ino()) == (same.dev(), same.ino()))
    };
    Ok(pids.filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit())).filter(is_kesako).collect())
}

fn kesako(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(beside_me("kesako")?);
    let output = command.args(arguments).env("KESAKO_ROOT", data_root(folder)).output()?;
    anyhow::ensure!(
        output.status.success(),
        "kesako {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

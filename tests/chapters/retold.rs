//! A test that runs in a process of its own: what it said there, without what the harness says around it.

use std::process::Output;

/// The words of the test itself, for the message of the one that waited for it.
pub(super) fn retell(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    let lines: Vec<_> = text.lines().filter_map(said).collect();
    lines.join("\n").trim().to_owned()
}

fn said(line: &str) -> Option<&str> {
    const AROUND: [&str; 5] = ["failures:", "running 1 test", "test result: ", "suite::", "note: run with"];
    let trimmed = line.trim();
    if AROUND.iter().any(|words| trimmed.starts_with(words)) {
        return None;
    }
    if let Some(rest) = line.strip_prefix("test suite::") {
        return rest.split_once(" ... ").map(|(_, said)| said).filter(|said| !matches!(*said, "ok" | "FAILED"));
    }
    // Where it was is worth knowing, in which thread is not.
    line.strip_prefix("thread '").and_then(|rest| rest.split_once("panicked ")).map(|(_, at)| at).or(Some(line))
}

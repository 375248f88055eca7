//! What the build checks found: a block after the progress, or all of it.

use super::trace::{Trace, Warning};
use colored::Colorize;
use std::fmt::Write;

/// After a build: one line each, or with `debug` the whole of it.
pub(super) fn block(trace: &Trace, debug: bool, out: &mut String) {
    let count = match trace.warnings.len() {
        0 => return,
        1 => "1 warning found".to_owned(),
        n => format!("{n} warnings found"),
    };
    let hint = if debug { "" } else { " (use kesako --debug to expand)" };
    // Writing to a text cannot fail.
    let _ = writeln!(out, "\n {}", format!("{count}{hint}:").yellow());
    for warning in &trace.warnings {
        let _ = writeln!(out, " - {}", warning.short);
        if debug {
            if !warning.url.is_empty() {
                let _ = writeln!(out, "More info: {}", warning.url);
            }
            let _ = writeln!(out, "{}", lines(trace, warning));
        }
    }
}

/// Of `--check`: each with where to read about it, and its lines.
pub(super) fn report(trace: &Trace) -> String {
    let one = |warning: &Warning| {
        let head =
            if warning.url.is_empty() { warning.rule.clone() } else { format!("{} - {}", warning.rule, warning.url) };
        format!("\nWARNING: {head}\n{}\n{}", warning.message, lines(trace, warning))
    };
    let mut sorted: Vec<&Warning> = trace.warnings.iter().collect();
    sorted.sort_by_key(|warning| warning.line);
    sorted.into_iter().map(one).collect()
}

/// The lines that it is about.
fn lines(trace: &Trace, warning: &Warning) -> String {
    let lines = warning.line..=warning.line;
    trace.dockerfile.as_ref().map(|dockerfile| dockerfile.excerpt(&lines)).unwrap_or_default()
}

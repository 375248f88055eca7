//! HEALTHCHECK.

use super::flags::Flags;
use crate::instruction::{Command, Healthcheck};
use std::time::Duration;

pub(super) fn read(kind: &str, command: &Command, flags: &Flags) -> Result<Healthcheck, String> {
    let empty = match command {
        Command::Exec(words) => words.is_empty(),
        Command::Shell(text) => text.is_empty(),
    };
    match kind.to_uppercase().as_str() {
        "" => return Err("HEALTHCHECK requires at least one argument".to_owned()),
        "NONE" if empty => return Ok(Healthcheck::None),
        "NONE" => return Err("HEALTHCHECK NONE takes no arguments".to_owned()),
        "CMD" if empty => return Err("Missing command after HEALTHCHECK CMD".to_owned()),
        "CMD" => {}
        other => return Err(format!("Unknown type {other:?} in HEALTHCHECK (try CMD)")),
    }
    Ok(Healthcheck::Command {
        command: command.clone(),
        interval: interval("interval", flags)?,
        timeout: interval("timeout", flags)?,
        start_period: interval("start-period", flags)?,
        start_interval: interval("start-interval", flags)?,
        retries: retries(flags)?,
    })
}

fn interval(name: &str, flags: &Flags) -> Result<Option<Duration>, String> {
    let Some(text) = flags.some(name) else { return Ok(None) };
    let nanoseconds = nanoseconds(&text)?;
    match Duration::from_nanos(nanoseconds.max(0).unsigned_abs()) {
        duration if nanoseconds == 0 || duration >= Duration::from_millis(1) => Ok(Some(duration)),
        _ => Err(format!("Interval {name:?} cannot be less than 1ms")),
    }
}

/// Go's durations in nanoseconds: `30s`, `1m30s`, `1.5h`, `-100ms`.
///
/// # Errors
/// It is none, in Go's words.
fn nanoseconds(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let unit =
            rest[number..].len() - rest[number..].trim_start_matches(|c: char| !c.is_ascii_digit() && c != '.').len();
        let value = rest[..number].parse::<f64>().map_err(|_| invalid())?;
        total += value
            * match &rest[number..number + unit] {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                "" => return Err(format!("time: missing unit in duration {text:?}")),
                unit => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
            };
        rest = &rest[number + unit..];
    }
    if total < i64::MAX as f64 { Ok((sign * total).round() as i64) } else { Err(invalid()) }
}

fn retries(flags: &Flags) -> Result<Option<u32>, String> {
    let Some(text) = flags.some("retries") else { return Ok(None) };
    match text.parse::<i32>() {
        Ok(number) => match u32::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("--retries cannot be negative ({number})")),
        },
        Err(error) => {
            use std::num::IntErrorKind::{NegOverflow, PosOverflow};
            let why =
                if matches!(error.kind(), PosOverflow | NegOverflow) { "value out of range" } else { "invalid syntax" };
            Err(format!("strconv.ParseInt: parsing {text:?}: {why}"))
        }
    }
}

//! HEALTHCHECK.

use super::flags::Flags;
use crate::duration;
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
    let nanoseconds = duration::parse(&text)?;
    match Duration::from_nanos(nanoseconds.max(0).unsigned_abs()) {
        duration if nanoseconds == 0 || duration >= Duration::from_millis(1) => Ok(Some(duration)),
        _ => Err(format!("Interval {name:?} cannot be less than 1ms")),
    }
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

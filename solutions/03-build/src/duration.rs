//! Durations as Go reads and writes them, and Docker's users with it.

/// Nanoseconds: `30s`, `1m30s`, `1.5h`, `-100ms`.
///
/// # Errors
/// It is none, in Go's words.
pub fn parse(text: &str) -> Result<i64, String> {
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

/// As Go prints them: `1h0m0s`, `1m30s`, `1.5s`, `100ms`.
pub fn format(nanoseconds: i64) -> String {
    let decimal = |unit: f64, name: &str| format!("{}{name}", nanoseconds as f64 / unit);
    match nanoseconds {
        0 => "0s".to_owned(),
        ..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => decimal(1e3, "µs"),
        1_000_000..1_000_000_000 => decimal(1e6, "ms"),
        _ => {
            let (minutes, rest) = (nanoseconds / 60_000_000_000, nanoseconds % 60_000_000_000);
            let seconds = rest as f64 / 1e9;
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_alike() {
        for text in ["0s", "17ns", "1.5µs", "300ms", "1.5s", "1m30s", "1h0m0s"] {
            assert_eq!(parse(text).map(format).as_deref(), Ok(text));
        }
        assert_eq!(parse("-1.5h"), Ok(-5_400_000_000_000));
        assert_eq!(parse("").unwrap_err(), "time: invalid duration \"\"");
        assert_eq!(parse("5").unwrap_err(), "time: missing unit in duration \"5\"");
        assert_eq!(parse("5y").unwrap_err(), "time: unknown unit \"y\" in duration \"5y\"");
    }
}

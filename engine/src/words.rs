//! Times and sizes as people say them.

use jiff::Timestamp;

/// Seconds since 1970 of an RFC 3339 time; 0 for what is none.
pub fn seconds(time: &str) -> i64 {
    time.parse::<Timestamp>().map_or(0, Timestamp::as_second)
}

/// How long ago a time was, as [`duration`] says it.
pub(crate) fn ago(time: &str) -> String {
    let since = time.parse::<Timestamp>().map_or(0, |time| Timestamp::now().as_second() - time.as_second());
    duration(since)
}

/// `5 seconds`, `About a minute`, `3 weeks`: Docker's steps (go-units).
pub fn duration(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, seconds as f64 / 3600.0);
    // Hours are rounded, and everything longer is made of the rounded hours.
    let hours = (hours + 0.5).floor() as i64;
    match (seconds, minutes, hours) {
        (..1, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (.., 1) => "About an hour".to_owned(),
        (.., ..48) => format!("{hours} hours"),
        (.., ..336) => format!("{} days", hours / 24),
        (.., ..1440) => format!("{} weeks", hours / 24 / 7),
        (.., ..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// `1.23kB`: decimal units and so many significant digits, as Go's `%.3g` writes them.
pub fn size(bytes: i64, digits: usize) -> String {
    const UNITS: &[&str] = &["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit < UNITS.len() - 1 {
        size /= 1000.0;
        unit += 1;
    }
    format!("{}{}", significant(size, digits), UNITS[unit])
}

/// Go's `%.{digits}g`: so many significant digits, without zeros at the end; an exponent when the digits before the
/// point are more than that.
pub fn significant(x: f64, digits: usize) -> String {
    let scientific = format!("{:.*e}", digits - 1, x);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let strip = |s: &str| match s.contains('.') {
        true => s.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => s.to_owned(),
    };
    if exponent >= digits as i32 {
        return format!("{}e+{exponent:02}", strip(mantissa));
    }
    strip(&format!("{:.*}", (digits as i32 - 1 - exponent).max(0) as usize, x))
}

/// `10m`, `1.5GB`, `512`: a number of bytes, units being powers of 1024, as Docker reads sizes.
pub(crate) fn bytes(text: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let unit = lower[digits.len()..].trim_start();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let number: f64 = digits.parse().ok().filter(|n: &f64| *n >= 0.0 && n.is_finite())?;
    Some((number * 1024f64.powi(power)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_docker_says_them() {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        let said: Vec<_> = [
            -5,
            0,
            1,
            45,
            59,
            60,
            119,
            120,
            59 * 60,
            HOUR,
            89 * 60,
            90 * 60,
            3 * HOUR,
            47 * HOUR,
            2 * DAY,
            13 * DAY,
            14 * DAY,
            59 * DAY,
            60 * DAY,
            729 * DAY,
            730 * DAY,
            2000 * DAY,
        ]
        .map(duration)
        .into();
        insta::assert_snapshot!(said.join("\n"), @r"
        Less than a second
        Less than a second
        1 second
        45 seconds
        59 seconds
        About a minute
        About a minute
        2 minutes
        59 minutes
        About an hour
        About an hour
        2 hours
        3 hours
        47 hours
        2 days
        13 days
        2 weeks
        8 weeks
        2 months
        24 months
        2 years
        5 years
        ");
    }

    #[test]
    fn a_time_without_meaning_is_the_epoch() {
        assert_eq!(seconds("1970-01-01T00:01:00.5Z"), 60);
        assert_eq!(seconds("yesterday"), 0);
    }

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        assert_eq!(["512", "10m", "1.5GB", "2kiB", "1 k"].map(bytes), [512, 10 << 20, 3 << 29, 2048, 1024].map(Some));
        assert_eq!(["", "ten", "1x", "-1", "m"].map(bytes), [None; 5]);
    }
}

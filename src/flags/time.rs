//! `--since 42m`, `--until 2024-01-02T15:04:05Z`, `--since 1704207845`: a moment, however it is written.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Seconds since 1970 with nine decimals, as the API takes a moment.
pub fn moment(text: &str) -> anyhow::Result<String> {
    let now = Timestamp::now();
    // (0 is the beginning of 1970.)
    let ago = engine::duration::parse(text).ok().filter(|_| text != "0").map(SignedDuration::from_nanos);
    let found = ago.and_then(|ago| now.checked_sub(ago).ok()).or_else(|| date(text));
    match found {
        Some(at) => Ok(format!("{}.{:09}", at.as_second(), at.subsec_nanosecond().max(0))),
        // Seconds, with or without a fraction: as the API has them already.
        None if is_seconds(text) => Ok(text.to_owned()),
        None => anyhow::bail!("failed to parse value as time or duration: {text:?}"),
    }
}

/// As [`moment`], for a flag that may not be given; its error names the flag.
pub fn flag(name: &str, text: Option<&str>) -> anyhow::Result<Option<String>> {
    let moment = text.filter(|text| !text.is_empty()).map(moment).transpose();
    moment.map_err(|error| anyhow::anyhow!("invalid value for {name:?}: {error}"))
}

fn is_seconds(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// RFC 3339, or a date with as much of a local time as is given.
fn date(text: &str) -> Option<Timestamp> {
    if !text.contains('-') {
        return None;
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let padded = match text.len() {
        10 => format!("{text}T00:00:00"),
        13 => format!("{text}:00:00"),
        16 => format!("{text}:00"),
        _ => text.to_owned(),
    };
    padded.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let at = |text: &str| moment(text).map_err(|error| error.to_string());
        assert_eq!(at("2024-01-02T15:04:05.5Z").unwrap(), "1704207845.500000000");
        assert_eq!(at("2024-01-02T15:04:05+01:00").unwrap(), "1704204245.000000000");
        assert_eq!(at("1704207845").unwrap(), "1704207845");
        assert_eq!(at("1704207845.25").unwrap(), "1704207845.25");
        let ago: f64 = at("1h30m").unwrap().parse().unwrap();
        let expected = Timestamp::now().as_second() as f64 - 5400.0;
        assert!((ago - expected).abs() < 5.0);
        assert_eq!(at("nonsense").unwrap_err(), "failed to parse value as time or duration: \"nonsense\"");
    }
}

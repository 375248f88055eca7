//! Numbers for people, in Docker's words: `21.5MB`, `About a minute`.

use engine::words::duration;

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

/// `3 minutes ago`, from seconds since 1970.
pub fn ago(created: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    format!("{} ago", duration(now - created))
}

/// Go's `Time.String()` in the local zone: `2024-01-02 15:04:05 +0100 CET`.
pub fn date(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(timestamp) => {
            timestamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
        }
        Err(_) => seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_significant_digits() {
        let cases =
            [(0, "0B"), (999, "999B"), (1000, "1kB"), (1234, "1.23kB"), (21_500_000, "21.5MB"), (999_600, "1e+03kB")];
        for (bytes, text) in cases {
            assert_eq!(size(bytes, 3), text);
        }
        assert_eq!(size(1_234_567, 4), "1.235MB");
    }
}

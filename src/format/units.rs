//! Numbers for people, in Docker's words: `21.5MB`, `About a minute`.

pub use engine::words::{significant, size};

use engine::words::duration;

/// `1.234MiB`: binary units and four significant digits.
pub fn binary_size(bytes: u64) -> String {
    const UNITS: &[&str] = &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit < UNITS.len() - 1 {
        size /= 1024.0;
        unit += 1;
    }
    format!("{}{}", significant(size, 4), UNITS[unit])
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

//! `pull_policy`: when an image is pulled, and when it is built.

use std::time::Duration;

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    Always,
    /// If it is not here.
    #[default]
    Missing,
    Never,
    /// It is built, even if it is here.
    Build,
    /// If it was pulled or built so long ago.
    Refresh(Duration),
}

impl Policy {
    /// Reads it; empty is [`Missing`](Self::Missing).
    pub fn parse(text: &str) -> Option<Self> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Some(match text {
            "always" => Self::Always,
            // Docker takes `refresh` without a time for the same.
            "" | "missing" | "if_not_present" | "refresh" => Self::Missing,
            "never" => Self::Never,
            "build" => Self::Build,
            "daily" => Self::Refresh(DAY),
            "weekly" => Self::Refresh(DAY * 7),
            other => Self::Refresh(span(other.strip_prefix("every_")?)?),
        })
    }

    /// Whether an image is pulled. `age` is since when it is here; None: it is not.
    pub fn pulls(self, age: Option<Duration>) -> bool {
        match (self, age) {
            (Self::Always, _) => true,
            (Self::Never | Self::Build, _) => false,
            (Self::Missing | Self::Refresh(_), None) => true,
            (Self::Missing, Some(_)) => false,
            (Self::Refresh(after), Some(age)) => age >= after,
        }
    }
}

/// `1w`, `2d12h`.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut span = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.get(digits..=digits)? {
            "w" => 7 * 24 * 60 * 60,
            "d" => 24 * 60 * 60,
            "h" => 60 * 60,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        span = span.checked_add(Duration::from_secs(number.checked_mul(unit)?))?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let seconds = |text| span(text).map(|span| span.as_secs());
        assert_eq!(seconds("1w2d"), Some(9 * 86_400));
        assert_eq!(seconds("1h30m5s"), Some(5405));
        for wrong in ["", "1", "d", "1y", "1é", "-1d", "99999999999999999999d", "18446744073709551615w"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn when_an_image_is_pulled() {
        let pulls =
            |text, age: Option<u64>| Policy::parse(text).map(|policy| policy.pulls(age.map(Duration::from_secs)));
        assert_eq!([pulls("", None), pulls("", Some(9))], [Some(true), Some(false)]);
        assert_eq!([pulls("always", None), pulls("always", Some(0))], [Some(true); 2]);
        assert_eq!([pulls("never", None), pulls("build", None)], [Some(false); 2]);
        assert_eq!(
            [pulls("daily", None), pulls("daily", Some(86_399)), pulls("daily", Some(86_400))],
            [Some(true), Some(false), Some(true)]
        );
        assert_eq!([pulls("every_2m", Some(119)), pulls("every_2m", Some(120))], [Some(false), Some(true)]);
        assert_eq!([pulls("often", None), pulls("every_", None)], [None; 2]);
    }
}

//! `--filter KEY=VALUE`: what all lists and prunes have in common. Values of one key are alternatives; for labels, all
//! must hold.

use crate::container::list::Filters;
use crate::{Error, Kind, Result};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Refuses a filter that this command does not have.
pub(crate) fn only(filters: &Filters, known: &[&str]) -> Result<()> {
    match filters.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Error::new(Kind::Invalid, format!("invalid filter '{key}'"))),
        None => Ok(()),
    }
}

/// The values of a filter.
pub(crate) fn values<'a>(filters: &'a Filters, key: &str) -> &'a [String] {
    filters.get(key).map_or(&[], Vec::as_slice)
}

/// A filter that is said at most once, with yes or no.
pub(crate) fn boolean(filters: &Filters, key: &str) -> Result<Option<bool>> {
    match values(filters, key) {
        [] => Ok(None),
        [value] if value == "1" || value == "true" => Ok(Some(true)),
        [value] if value == "0" || value == "false" => Ok(Some(false)),
        values => Err(Error::new(Kind::Invalid, format!("invalid filter '{key}=[{}]'", values.join(" ")))),
    }
}

/// `label=key` and `label=key=value`: all of them.
pub(crate) fn has_labels(wanted: &[String], labels: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|label| match label.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
        None => labels.contains_key(label),
    })
}

/// `label` and `label!` together, as prunes have them.
pub(crate) fn labels_allow(filters: &Filters, labels: &BTreeMap<String, String>) -> bool {
    let excluded = values(filters, "label!");
    has_labels(values(filters, "label"), labels) && (excluded.is_empty() || !has_labels(excluded, labels))
}

/// Docker matches names and states exactly, or as a regular expression anywhere within.
pub(crate) fn matches(wanted: &[String], found: &str) -> bool {
    let fits = |pattern: &String| pattern == found || regex_lite::Regex::new(pattern).is_ok_and(|r| r.is_match(found));
    wanted.is_empty() || wanted.iter().any(fits)
}

/// `until=…` of a prune: the time before which things go.
pub(crate) fn until(filters: &Filters) -> Result<Option<Timestamp>> {
    match values(filters, "until") {
        [] => Ok(None),
        [value] => time(value)
            .map(Some)
            .ok_or_else(|| Error::new(Kind::Invalid, format!("failed to parse value as time or duration: {value:?}"))),
        _ => Err(Error::new(Kind::Invalid, "more than one until filter specified")),
    }
}

/// A time as Docker takes it: seconds since 1970 with fractions, a duration back from now (`10m`, `1h30m`), RFC 3339, or
/// a date and time of this host's zone.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    if let Some((seconds, fraction)) = epoch(text) {
        return Timestamp::new(seconds, fraction).ok();
    }
    if let Some(back) = build::duration::parse(text).ok().map(SignedDuration::from_nanos) {
        return Timestamp::now().checked_sub(back).ok();
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let zone = jiff::tz::TimeZone::system();
    let local =
        text.parse::<jiff::civil::DateTime>().or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into)).ok()?;
    local.to_zoned(zone).ok().map(|zoned| zoned.timestamp())
}

fn epoch(text: &str) -> Option<(i64, i32)> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}")[..9].parse().ok()?;
    Some((seconds.parse().ok()?, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_labels_must_hold() {
        let labels = map(&[("a", "1"), ("b", "")]);
        assert!(has_labels(&list(&["a", "b="]), &labels));
        assert!(has_labels(&list(&["a=1"]), &labels));
        assert!(!has_labels(&list(&["a=1", "c"]), &labels));
        assert!(!has_labels(&list(&["a=2"]), &labels));
        let filters = Filters::from([("label!".to_owned(), list(&["a"]))]);
        assert!(!labels_allow(&filters, &labels) && labels_allow(&filters, &map(&[])));
    }

    #[test]
    fn names_match_as_regular_expressions() {
        assert!(matches(&list(&["eb"]), "web"));
        assert!(matches(&list(&["^web$"]), "web"));
        assert!(!matches(&list(&["^eb"]), "web"));
        assert!(!matches(&list(&["("]), "web"));
        assert!(matches(&[], "web"));
    }

    #[test]
    fn times_are_read_in_all_of_dockers_ways() {
        assert_eq!(time("1700000000.5").unwrap().as_nanosecond(), 1_700_000_000_500_000_000);
        assert_eq!(time("2023-11-14T22:13:20Z").unwrap().as_second(), 1_700_000_000);
        let now = Timestamp::now().as_second();
        assert!((now - 5400 - time("1h30m").unwrap().as_second()).abs() <= 1);
        assert!(time("2023-11-14").is_some() && time("2023-11-14T22:13").is_some());
        for nonsense in ["", "yesterday", "10", "1x", "h"] {
            assert_eq!(time(nonsense).is_some(), nonsense == "10", "{nonsense}");
        }
    }

    #[test]
    fn unknown_filters_are_refused() {
        let filters = Filters::from([("colour".to_owned(), list(&["red"]))]);
        assert_eq!(only(&filters, &["label"]).unwrap_err().message, "invalid filter 'colour'");
        let filters = Filters::from([("dangling".to_owned(), list(&["perhaps"]))]);
        assert_eq!(boolean(&filters, "dangling").unwrap_err().message, "invalid filter 'dangling=[perhaps]'");
    }
}

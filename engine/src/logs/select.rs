//! Which lines of a log are wanted, and how they look.

use super::LogOptions;
use crate::shim::Stream;
use crate::{Error, Kind, Result};
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

#[derive(Debug)]
pub(super) struct Selection {
    stdout: bool,
    stderr: bool,
    timestamps: bool,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    tty: bool,
}

/// One line of `log.json`.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

/// What to do with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Send(Vec<u8>),
    Skip,
    /// This one and all later ones are not wanted.
    Stop,
}

impl Selection {
    pub(super) fn new(options: &LogOptions, tty: bool) -> Result<Self> {
        Ok(Self {
            stdout: options.stdout,
            stderr: options.stderr,
            timestamps: options.timestamps,
            since: moment(options.since.as_deref())?,
            until: moment(options.until.as_deref())?,
            tty,
        })
    }

    /// When nothing more can come.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.until
    }

    pub(super) fn judge(&self, line: &[u8]) -> Verdict {
        // A line that a full disk cut short is passed over.
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return Verdict::Skip };
        let stream = if line.stream == "stderr" { Stream::Stderr } else { Stream::Stdout };
        if let (Some(since), Ok(time)) = (self.since, line.time.parse::<Timestamp>())
            && time < since
        {
            return Verdict::Skip;
        }
        if let (Some(until), Ok(time)) = (self.until, line.time.parse::<Timestamp>())
            && time > until
        {
            return Verdict::Stop;
        }
        let wanted = match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        };
        if wanted { Verdict::Send(self.format(stream, &line)) } else { Verdict::Skip }
    }

    fn format(&self, stream: Stream, line: &Line<'_>) -> Vec<u8> {
        let stamp = if self.timestamps { format!("{} ", nanoseconds(&line.time)) } else { String::new() };
        let mut bytes = Vec::with_capacity(8 + stamp.len() + line.log.len());
        if !self.tty {
            let [a, b, c, d] = ((stamp.len() + line.log.len()) as u32).to_be_bytes();
            bytes.extend([stream as u8, 0, 0, 0, a, b, c, d]);
        }
        bytes.extend(stamp.as_bytes());
        bytes.extend(line.log.as_bytes());
        bytes
    }
}

/// Docker shows all nine digits, so that the columns stand under one another.
fn nanoseconds(time: &str) -> String {
    time.parse::<Timestamp>().map_or_else(|_| time.to_owned(), |time| format!("{time:.9}"))
}

/// `1700000000.5` or RFC 3339; zero is no moment.
fn moment(text: Option<&str>) -> Result<Option<Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty() && *text != "0") else { return Ok(None) };
    let parsed = seconds(text).or_else(|| text.parse().ok());
    let invalid =
        || Error::new(Kind::Invalid, format!("parsing time {text:?}: neither seconds since 1970 nor RFC 3339"));
    parsed.map(Some).ok_or_else(invalid)
}

fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(fraction)?;
    let nanoseconds = format!("{digits:0<9}").get(..9)?.parse().ok()?;
    Timestamp::new(whole.parse().ok()?, nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = br#"{"log":"hi\n","stream":"stderr","time":"2026-11-21T20:44:00.5Z"}"#;

    fn judge(options: &LogOptions) -> Verdict {
        Selection::new(options, true).unwrap().judge(LINE)
    }

    #[test]
    fn a_line_is_selected_by_stream_and_time() {
        let both = LogOptions { stdout: true, stderr: true, ..LogOptions::default() };
        assert_eq!(judge(&both), Verdict::Send(b"hi\n".to_vec()));
        assert_eq!(judge(&LogOptions { stderr: false, ..both.clone() }), Verdict::Skip);
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(judge(&LogOptions { since: at("2026-11-21T20:44:01Z"), ..both.clone() }), Verdict::Skip);
        assert_eq!(judge(&LogOptions { until: at("2026-11-21T20:44:00Z"), ..both.clone() }), Verdict::Stop);
        let stamped = Verdict::Send(b"2026-11-21T20:44:00.500000000Z hi\n".to_vec());
        assert_eq!(judge(&LogOptions { timestamps: true, ..both.clone() }), stamped);
        assert!(Selection::new(&LogOptions { since: at("yesterday"), ..both }, true).is_err());
    }

    #[test]
    fn without_a_terminal_a_line_is_a_frame() {
        let options = LogOptions { stderr: true, ..LogOptions::default() };
        let verdict = Selection::new(&options, false).unwrap().judge(LINE);
        assert_eq!(verdict, Verdict::Send(b"\x02\0\0\0\0\0\0\x03hi\n".to_vec()));
    }

    #[test]
    fn moments_are_seconds_or_rfc_3339() {
        let half = Timestamp::new(1_700_000_000, 500_000_000).unwrap();
        assert_eq!(moment(Some("1700000000.5")).unwrap(), Some(half));
        assert_eq!(moment(Some("2023-11-14T22:13:20.5Z")).unwrap(), Some(half));
        assert_eq!(moment(Some("0")).unwrap(), None);
    }
}

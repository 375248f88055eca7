//! Parts of blobs: going on with a download, and sending a layer in pieces. (RFC 9110, section 14.)

use std::ops::Range;

/// What to make of an answer to "the bytes from here on".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// These are the bytes asked for: add them to what is there.
    Append,
    /// This is the whole blob: what is there is of no use.
    Restart,
    /// All that there is was there already.
    Complete,
    /// This answer is no good.
    Refused,
}

/// How to go on with a download of which `have` bytes are there and `size` are to be, after a request with
/// `Range: bytes=<have>-`.
///
/// `206 Partial Content` holds a part, and `Content-Range: bytes 500-999/1000` says which one: from the first to the
/// last byte, of so many in all (or `*`, if the server does not know). Only if it begins where we stopped may it be
/// added; and if it says how large the whole is, that has to be `size`. `200 OK` is the whole blob: many servers know
/// no ranges. `416 Range Not Satisfiable` says that nothing follows, which is right if everything is there. Anything
/// else is no answer to this.
#[must_use]
pub fn resume(status: u16, content_range: Option<&str>, have: u64, size: u64) -> Resume {
    // exercise: 6.4 resume: add to what is there, only if it fits
    match (status, content_range.and_then(parse_content_range)) {
        (200, _) => Resume::Restart,
        (206, Some((first, whole))) if first == have && whole.is_none_or(|whole| whole == size) => Resume::Append,
        (416, _) if have == size => Resume::Complete,
        _ => Resume::Refused,
    }
    // end exercise
}

/// `bytes 500-999/1000`: where it begins, and how large the whole is.
fn parse_content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, whole) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _last) = range.split_once('-')?;
    let whole = if whole == "*" { None } else { Some(whole.parse().ok()?) };
    Some((first.parse().ok()?, whole))
}

/// The next piece of a layer of `size` bytes, of which the registry has the first `sent`: at most `chunk` bytes. None:
/// it has all.
#[must_use]
pub fn next_chunk(sent: u64, size: u64, chunk: u64) -> Option<Range<u64>> {
    (sent < size).then(|| sent..size.min(sent.saturating_add(chunk.max(1))))
}

/// How many bytes of an upload a registry has, after its `Range: 0-499` (here without `bytes=`, and both ends
/// included). `0-0` is also what a registry says that has nothing yet: believing it costs one byte at most, and loses
/// none.
#[must_use]
pub fn received(range: Option<&str>) -> u64 {
    let last =
        range.and_then(|range| range.trim().trim_start_matches("bytes=").strip_prefix("0-")?.parse::<u64>().ok());
    match last {
        None | Some(0) => 0,
        Some(last) => last.saturating_add(1),
    }
}

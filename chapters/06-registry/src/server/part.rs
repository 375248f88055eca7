//! A part of a blob: whoever was cut off asks for the rest. (RFC 9110, section 14.)

use std::ops::RangeInclusive;

/// What a request with `Range` is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `200 OK`, with all of it.
    Everything,
    /// `206 Partial Content`, with the bytes from the first to the last, both included.
    Part(RangeInclusive<u64>),
    /// `416 Range Not Satisfiable`: it asks for what is beyond the end.
    Nothing,
}

/// What a request asks for, of a blob of `size` bytes: everything, unless it has a `Range` header, whose value says otherwise.
///
/// That has three forms, and bytes are counted from 0:
///
/// ```text
/// bytes=500-999    from 500 to 999, both included; or to the end, if that comes before
/// bytes=500-       from 500 to the end
/// bytes=-500       the last 500; all, if there are less
/// ```
///
/// Where the first byte is beyond the end, or the last 0 bytes are asked for, there is [`Nothing`](Asked::Nothing) to send; so of an
/// empty blob in each of these forms.
///
/// A header that has none of them may be ignored, and is: another unit than `bytes`, several parts (`0-1,5-6`), an end before
/// the beginning (`9-0`), or what makes no sense. That gets [`Everything`](Asked::Everything), as if there were no such header.
#[must_use]
pub fn asked_for(range: Option<&str>, size: u64) -> Asked {
    // exercise: 6.6 asked_for: the bytes that are meant, of so many
    todo!("exercise 6.6, asked_for: the bytes that are meant, of so many")
    // end exercise
}

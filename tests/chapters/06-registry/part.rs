//! 6.6: which part of a blob a request wants.

use super::expect::expect;
use registry::server::part::{Asked, asked_for};

const READ: &str = "Read: RFC 9110, section 14.1.2, \"Byte Ranges\".";

fn told(range: &str, size: u64) -> String {
    match asked_for(Some(range), size) {
        Asked::Everything => "200, all of it".to_owned(),
        Asked::Part(part) => format!("206, bytes {}-{}/{size}", part.start(), part.end()),
        Asked::Nothing => format!("416, bytes */{size}"),
    }
}

#[track_caller]
fn each(cases: &[(&str, &str)], why: &str) {
    for (range, expected) in cases {
        expect(
            told(range, 100),
            (*expected).to_owned(),
            &format!("of `Range: {range}`, to a blob of 100 bytes: {why}. {READ}"),
        );
    }
}

#[test]
fn from_one_byte_to_another() {
    let cases = [
        ("bytes=0-9", "206, bytes 0-9/100"),
        ("bytes=0-0", "206, bytes 0-0/100"),
        ("bytes=90-99", "206, bytes 90-99/100"),
        ("bytes=90-1000", "206, bytes 90-99/100"),
        ("bytes=0-18446744073709551615", "206, bytes 0-99/100"),
    ];
    each(&cases, "both ends are included, and the last byte of 100 is 99");
}

#[test]
fn from_a_byte_to_the_end() {
    let cases = [
        ("bytes=50-", "206, bytes 50-99/100"),
        ("bytes=0-", "206, bytes 0-99/100"),
        ("bytes=99-", "206, bytes 99-99/100"),
    ];
    each(&cases, "this is how a client goes on with a download; from 0 on it is a part all the same");
}

#[test]
fn the_last_bytes() {
    let cases = [
        ("bytes=-10", "206, bytes 90-99/100"),
        ("bytes=-100", "206, bytes 0-99/100"),
        ("bytes=-1000", "206, bytes 0-99/100"),
    ];
    each(&cases, "what stands behind the - alone says how many, and not where");
}

#[test]
fn beyond_the_end_there_is_nothing() {
    let why = "the client is told so by a 416: with 200 and the whole blob it would begin again, with 206 it would wait for bytes";
    each(
        &[("bytes=100-", "416, bytes */100"), ("bytes=100-200", "416, bytes */100"), ("bytes=-0", "416, bytes */100")],
        why,
    );
    for range in ["bytes=0-", "bytes=0-5", "bytes=-5"] {
        expect(told(range, 0), "416, bytes */0".to_owned(), &format!("of `Range: {range}`, to an empty blob. {READ}"));
    }
}

#[test]
fn who_asks_for_no_part_gets_everything() {
    let found = asked_for(None, 100) == Asked::Everything && asked_for(None, 0) == Asked::Everything;
    assert!(found, "a request without `Range` wants all of the blob, be it empty. {READ}");
}

#[test]
fn what_is_no_range_gets_everything() {
    let why = "a Range that is not understood is as none (section 14.2): the client gets more than it asked for, and nothing wrong";
    for range in
        ["bytes=9-0", "bytes=200-100", "bytes=0-1,5-6", "bytes=-", "bytes=a-b", "bytes=0-b", "lines=0-1", "0-9", ""]
    {
        each(&[(range, "200, all of it")], why);
    }
}

#[test]
fn what_clients_ask_for() {
    let ranges = ["bytes=0-", "bytes=512-", "bytes=0-0", "bytes=-4", "bytes=1000-1999", "bytes=1024-", "bytes=0-1,5-6"];
    let lines = ranges.map(|range| format!("Range: {range:<16} {}", told(range, 1024)));
    insta::with_settings!({description => format!(
        "(-: expected, +: yours) What a registry answers, of a blob of 1024 bytes. {READ}"
    )}, {
        insta::assert_snapshot!(lines.join("\n"));
    });
}

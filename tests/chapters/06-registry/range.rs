//! 6.4: going on with a download. And sending a layer in pieces.

use super::expect::expect;
use registry::range::{Resume, next_chunk, received, resume};

const READ: &str = "Read: RFC 9110, section 14.4, \"Content-Range\", and 15.3.7, \"206 Partial Content\".";

#[track_caller]
fn check(answer: (u16, Option<&str>), have: u64, expected: Resume, why: &str) {
    let (status, header) = answer;
    let found = resume(status, header, have, 1000);
    let header = header.map_or_else(|| "no Content-Range".to_owned(), |header| format!("`Content-Range: {header}`"));
    let why =
        format!("of a blob of 1000 bytes {have} are here, and the answer is {status} with {header}: {why}. {READ}");
    expect(format!("{found:?}"), format!("{expected:?}"), &why);
}

#[test]
fn a_part_that_begins_where_we_stopped_is_added() {
    check(
        (206, Some("bytes 500-999/1000")),
        500,
        Resume::Append,
        "bytes are counted from 0, so the next one is number 500",
    );
    check((206, Some("bytes 500-999/*")), 500, Resume::Append, "a server need not know how large the whole is");
    check(
        (206, Some("bytes 500-699/1000")),
        500,
        Resume::Append,
        "it may send less than is missing; one asks again for the rest",
    );
}

#[test]
fn a_part_that_begins_elsewhere_is_refused() {
    let why = "added to what is here, this would be another blob";
    for header in ["bytes 0-999/1000", "bytes 501-999/1000", "bytes 499-999/1000"] {
        check((206, Some(header)), 500, Resume::Refused, why);
    }
    check((206, Some("bytes 500-1999/2000")), 500, Resume::Refused, "the whole that this is a part of is another one");
    for header in [Some("500-999"), Some("bytes"), Some("bytes x-y/z"), None] {
        check((206, header), 500, Resume::Refused, "it does not say which part it is");
    }
}

#[test]
fn a_server_without_ranges_begins_again() {
    let why = "200 is the whole blob, from its first byte on: adding it to what is here would be wrong, and refusing it a pity";
    check((200, None), 500, Resume::Restart, why);
    check((200, None), 0, Resume::Restart, why);
    check(
        (200, Some("bytes 500-999/1000")),
        500,
        Resume::Restart,
        "Content-Range says something only with 206 and 416",
    );
}

#[test]
fn nothing_follows_only_if_everything_is_there() {
    check(
        (416, Some("bytes */1000")),
        1000,
        Resume::Complete,
        "there is no byte number 1000, for all of them are here",
    );
    check((416, None), 1000, Resume::Complete, "the status alone says it");
    check(
        (416, Some("bytes */500")),
        500,
        Resume::Refused,
        "half of it is missing, and the server says that it has no more",
    );
}

#[test]
fn another_answer_is_none() {
    for status in [204, 304, 404, 500] {
        check((status, None), 500, Resume::Refused, "this is no answer to the question");
    }
}

#[test]
fn a_layer_is_sent_in_pieces() {
    let mut sent = 0;
    let mut pieces = Vec::new();
    while let Some(piece) = next_chunk(sent, 10, 4) {
        sent = piece.end;
        pieces.push(piece);
    }
    assert_eq!(pieces, [0..4, 4..8, 8..10]);
    assert_eq!(next_chunk(0, 0, 4), None, "an empty layer has no pieces");
}

#[test]
fn a_registry_says_how_much_it_has() {
    assert_eq!(received(Some("0-499")), 500, "both ends are included");
    assert_eq!(received(Some("bytes=0-499")), 500);
    assert_eq!(received(Some("0-0")), 0, "that is what a registry says that has nothing");
    for nothing in [None, Some(""), Some("5-9"), Some("0-"), Some("x")] {
        assert_eq!(received(nothing), 0, "{nothing:?}");
    }
}

//! Going on with a download, and sending a layer in pieces.

use registry::range::{Resume, next_chunk, received, resume};

#[test]
fn a_part_that_begins_where_we_stopped_is_added() {
    assert_eq!(resume(206, Some("bytes 500-999/1000"), 500, 1000), Resume::Append);
    assert_eq!(resume(206, Some("bytes 500-999/*"), 500, 1000), Resume::Append, "a server may not know the size");
}

#[test]
fn a_part_that_begins_elsewhere_is_refused() {
    for header in
        [Some("bytes 0-999/1000"), Some("bytes 501-999/1000"), Some("bytes 500-999/2000"), Some("500-999"), None]
    {
        assert_eq!(resume(206, header, 500, 1000), Resume::Refused, "{header:?}: this would spoil what is there");
    }
}

#[test]
fn a_server_without_ranges_begins_again() {
    assert_eq!(resume(200, None, 500, 1000), Resume::Restart);
    assert_eq!(resume(200, None, 0, 1000), Resume::Restart);
}

#[test]
fn nothing_follows_only_if_everything_is_there() {
    assert_eq!(resume(416, Some("bytes */1000"), 1000, 1000), Resume::Complete);
    assert_eq!(resume(416, Some("bytes */500"), 500, 1000), Resume::Refused);
    assert_eq!(resume(404, None, 500, 1000), Resume::Refused);
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

//! The body of a request: it may come slowly, but has to go on coming.

use super::answer::Refusal;
use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::StatusCode;
use std::io::{self, Read};
use std::time::Duration;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// Who sends nothing for so long is gone, or means no good.
const SILENCE: Duration = Duration::from_secs(60);
/// Of what cannot be kept.
const HEARD: usize = 1 << 30;

/// The body, for a thread that may block.
pub(super) fn reader(body: Body) -> impl Read + Send + 'static {
    SyncIoBridge::new(StreamReader::new(Box::pin(pieces(body))))
}

/// The body, whole, if it is not larger than this.
pub(super) async fn document(body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let (mut whole, mut heard) = (Vec::new(), 0);
    let mut pieces = Box::pin(pieces(body));
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Refusal::invalid("MANIFEST_INVALID", format!("it broke off: {error}")))?;
        heard += piece.len();
        match heard {
            _ if heard <= limit => whole.extend_from_slice(&piece),
            // Who is cut off while sending does not read why.
            _ if heard <= HEARD => whole.clear(),
            _ => break,
        }
    }
    if heard > limit {
        let text = format!("a manifest may have {limit} bytes");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", text));
    }
    Ok(whole)
}

fn pieces(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(body.into_data_stream(), |mut body: BodyDataStream| async {
        let piece = match tokio::time::timeout(SILENCE, body.next()).await {
            Ok(piece) => piece?.map_err(io::Error::other),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        Some((piece, body))
    })
}

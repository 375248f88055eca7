//! The border between the server, which must never wait, and the engine, which does little else.
//!
//! A call runs on tokio's pool of blocking threads, which has room for 512 of them. What may last as long as a container
//! (logs that are followed, events, a wait) comes as a socket instead, and is polled like a client's. Bytes of archives
//! cross the border through a short queue: who produces too fast is made to wait.

use super::{Answer, Refusal, answer};
use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use std::io::{self, Write};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

/// Chunks that wait in a queue before their producer does.
const QUEUE: usize = 4;
/// Bytes of one chunk.
const CHUNK: usize = 64 << 10;

/// Runs a method of the engine.
pub(super) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> engine::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let (refuse, refused) = oneshot::channel();
    // Who does not wait for the answer need not hear of it.
    let refuse = |words| drop(refuse.send(words));
    let done = tokio::task::spawn_blocking(|| engine::answering(refuse, call));
    tokio::select! {
        done = done => done.unwrap_or_else(|defect| Err(engine::Error::system("answer", defect))).map_err(Refusal::from),
        Ok(words) = refused => Err(Refusal::system(words)),
    }
}

/// The engine's end of a queue: what is written here becomes the body of an answer.
#[derive(Clone)]
pub(super) struct Sink(mpsc::Sender<Result<Bytes, Refusal>>);

impl Sink {
    /// Queues a chunk. False when nobody reads any more.
    pub(super) fn send(&self, chunk: impl Into<Bytes>) -> bool {
        self.0.blocking_send(Ok(chunk.into())).is_ok()
    }

    /// Ends the body with an error.
    fn fail(&self, refusal: Refusal) {
        // Nobody to hear it: nobody to tell.
        self.0.blocking_send(Err(refusal)).ok();
    }

    /// The same from a thread that may not wait: a reader that is far behind hears only of the end.
    fn fail_now(&self, words: String) {
        self.0.try_send(Err(Refusal::system(words))).ok();
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.send(bytes.to_vec()) { Ok(bytes.len()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An answer whose body is what `produce` writes, such as an archive. Its head waits for the first bytes, so that an
/// error before them still has its status.
pub(super) async fn write_to(
    content_type: &'static str,
    produce: impl FnOnce(&mut dyn Write) -> engine::Result<()> + Send + 'static,
) -> Answer {
    let whole = |sink: Sink| {
        let mut buffered = io::BufWriter::with_capacity(CHUNK, sink);
        let result = produce(&mut buffered);
        // A failed flush is a client gone; a buffer left by an error is not worth sending.
        if result.is_ok() {
            buffered.flush().ok();
        }
        // What is left in the buffer goes with it.
        drop(buffered.into_parts());
        result
    };
    started(content_type, whole, |refusal| Err(io::Error::other(refusal.message)), ()).await
}

/// An answer of JSON lines, such as the progress of a load. An error before the first is a status, later a line.
pub(super) async fn report(produce: impl FnOnce(&Sink) -> engine::Result<()> + Send + 'static) -> Answer {
    report_while((), produce).await
}

/// As [`report`]. `held` is let go when the answer is over, or nobody listens to it any more.
pub(super) async fn report_while(
    held: impl Send + 'static,
    produce: impl FnOnce(&Sink) -> engine::Result<()> + Send + 'static,
) -> Answer {
    let error_line = |refusal: Refusal| {
        let message = refusal.message;
        let line = engine::api::Progress {
            error: Some(message.clone()),
            error_detail: Some(engine::api::ErrorDetail { code: None, message }),
            ..Default::default()
        };
        Ok(Bytes::from(answer::json_line(&line)))
    };
    started("application/json", |sink| produce(&sink), error_line, held).await
}

/// Waits for the first chunk, to choose between an answer and a refusal.
async fn started(
    content_type: &'static str,
    produce: impl FnOnce(Sink) -> engine::Result<()> + Send + 'static,
    late_error: impl Fn(Refusal) -> io::Result<Bytes> + Send + 'static,
    held: impl Send + 'static,
) -> Answer {
    let (sender, mut queue) = mpsc::channel(QUEUE);
    let [sink, end, sudden_end] = [0; 3].map(|_| Sink(sender.clone()));
    drop(sender);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = engine::answering(move |words| sudden_end.fail_now(words), || produce(sink)) {
            end.fail(error.into());
        }
    });
    let first = match queue.recv().await {
        Some(Ok(chunk)) => chunk,
        Some(Err(refusal)) => return Err(refusal),
        None => Bytes::new(),
    };
    let rest = ReceiverStream::new(queue).map(move |chunk| {
        let _held = &held;
        chunk.or_else(&late_error)
    });
    answer::bytes(content_type, Body::from_stream(futures_util::stream::iter([Ok(first)]).chain(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Error, Kind};
    use http::StatusCode;
    use http_body_util::BodyExt;

    async fn body(answer: Answer) -> Option<String> {
        let bytes = answer.unwrap().into_body().collect().await.ok()?.to_bytes();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn broken() -> Error {
        Error::new(Kind::NotFound, "No such container: x")
    }

    #[tokio::test]
    async fn an_error_before_the_first_byte_is_a_status() {
        let refusal = write_to("application/x-tar", |_| Err(broken())).await.unwrap_err();
        assert_eq!((refusal.status, refusal.message.as_str()), (StatusCode::NOT_FOUND, "No such container: x"));
    }

    #[tokio::test]
    async fn an_error_within_an_archive_breaks_it_off() {
        let written = |to: &mut dyn Write| {
            to.write_all(&[0; 2 * CHUNK]).unwrap();
            Err(broken())
        };
        assert_eq!(body(write_to("application/x-tar", written).await).await, None);
        let written = |to: &mut dyn Write| {
            to.write_all(b"all").unwrap();
            Ok(())
        };
        assert_eq!(body(write_to("application/x-tar", written).await).await.unwrap(), "all");
    }

    #[tokio::test]
    async fn an_error_within_a_report_is_a_line() {
        let reported = |sink: &Sink| {
            sink.send("{}\n");
            Err(broken())
        };
        let expected =
            "{}\n{\"errorDetail\":{\"message\":\"No such container: x\"},\"error\":\"No such container: x\"}\n";
        assert_eq!(body(report(reported).await).await.unwrap(), expected);
    }
}

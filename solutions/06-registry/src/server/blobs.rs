//! Blobs: asked for, whole or in part, and sent, at once or in pieces.

use super::answer::{Answer, Refusal, blocking, empty, with};
use super::body::reader;
use super::listen::{Query, Registry};
use super::manifests::is_known;
use super::part::{Asked, asked_for};
use super::route;
use super::uploads::Upload;
use super::wire::Outgoing;
use axum::body::Body;
use http::{HeaderMap, StatusCode, header};
use layers::Digest;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::{Arc, PoisonError};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

/// So much of a blob is in memory for each who reads one.
const CHUNK: usize = 256 << 10;

/// Of what cannot be kept.
const HEARD: u64 = 1 << 30;

/// `GET` and `HEAD`.
pub(super) async fn get(
    registry: Arc<Registry>,
    name: String,
    digest: Digest,
    headers: HeaderMap,
    head: bool,
    outgoing: Option<Outgoing>,
) -> Answer {
    let opened = blocking(move || {
        if let Some(mirror) = &registry.mirror {
            mirror.blob(&registry.depot, &name, &digest)?;
        }
        Ok(registry.depot.promise(&digest)?.ok_or(layers::Error::NoSuchBlob(digest))?)
    });
    let (mut file, size) = opened.await?;
    let digest = digest.to_string();
    let tag = format!("\"{digest}\"");
    let mut told = vec![
        ("content-type", "application/octet-stream".to_owned()),
        ("accept-ranges", "bytes".to_owned()),
        ("docker-content-digest", digest),
        ("etag", tag.clone()),
        ("cache-control", "max-age=31536000".to_owned()),
    ];
    if is_known(&headers, &tag) {
        return answer(StatusCode::NOT_MODIFIED, &told, Body::empty());
    }
    // Only GET knows parts (RFC 9110, section 14.2); and who wants one of another content gets this one whole (13.1.5).
    let same = headers.get(header::IF_RANGE).is_none_or(|wanted| wanted.as_bytes() == tag.as_bytes());
    let range = headers.get(header::RANGE).filter(|_| same).and_then(|value| value.to_str().ok());
    let asked = if head { Asked::Everything } else { asked_for(range, size) };
    let (status, part) = match asked {
        Asked::Everything => (StatusCode::OK, None),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, Some(part)),
        Asked::Nothing => {
            told.push(("content-range", format!("bytes */{size}")));
            return answer(StatusCode::RANGE_NOT_SATISFIABLE, &told, Body::empty());
        }
    };
    let (first, length) = match &part {
        Some(part) => (*part.start(), part.end() - part.start() + 1),
        None => (0, size),
    };
    if let Some(part) = &part {
        told.push(("content-range", format!("bytes {}-{}/{size}", part.start(), part.end())));
    }
    told.push(("content-length", length.to_string()));
    if head {
        return answer(status, &told, Body::empty());
    }
    if let Some(outgoing) = outgoing {
        return answer(status, &told, outgoing.body(file, first, length));
    }
    file.seek(SeekFrom::Start(first)).map_err(Refusal::trouble)?;
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(CHUNK);
    answer(status, &told, Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK)))
}

/// `DELETE`.
pub(super) async fn delete(registry: Arc<Registry>, digest: Digest) -> Answer {
    blocking(move || registry.depot.delete_blob(&digest)).await?;
    empty(StatusCode::ACCEPTED, &[("content-length", "0")])
}

/// `POST uploads/`: a blob is announced. It may be here already (`mount`), or come with this very request (`digest`).
pub(super) async fn begin(registry: Arc<Registry>, name: String, query: Query, body: Body) -> Answer {
    // What cannot be mounted, or makes no sense, is sent.
    if let Some(digest) = query.get("mount").and_then(|digest| route::digest(digest).ok()) {
        let here = registry.clone();
        if blocking(move || Ok(here.depot.promise(&digest)?.is_some())).await? {
            return created(&name, &digest);
        }
    }
    let here = registry.clone();
    let id = blocking(move || here.depot.uploads.begin()).await?;
    match query.get("digest") {
        Some(_) => finish(registry, name, id, query, HeaderMap::new(), body).await,
        None => accepted(StatusCode::ACCEPTED, &name, &id, 0),
    }
}

/// `PATCH`: the next piece.
pub(super) async fn append(
    registry: Arc<Registry>,
    name: String,
    id: String,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let from = reader(body);
    let number = id.clone();
    let here = registry.clone();
    let appended = receiving(&here, move || {
        let upload = registry.depot.uploads.find(&number)?;
        let mut upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
        if !comes_next(&headers, upload.size())? {
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, upload.size()));
        }
        take_in(&registry, &number, &mut upload, from)?;
        Ok((StatusCode::ACCEPTED, upload.size()))
    });
    let (status, size) = appended.await?;
    accepted(status, &name, &id, size)
}

/// `GET uploads/<id>`: how much is here.
pub(super) async fn state(registry: Arc<Registry>, name: String, id: String) -> Answer {
    let number = id.clone();
    let here = registry.clone();
    let size = receiving(&here, move || {
        let upload = registry.depot.uploads.find(&number)?;
        let size = upload.lock().unwrap_or_else(PoisonError::into_inner).size();
        Ok(size)
    });
    accepted(StatusCode::NO_CONTENT, &name, &id, size.await?)
}

/// `PUT`: the last piece, perhaps, and what all of it has to be.
pub(super) async fn finish(
    registry: Arc<Registry>,
    name: String,
    id: String,
    query: Query,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let missing = || Refusal::invalid("DIGEST_INVALID", "the request does not say of which digest it is");
    let digest = route::digest(query.get("digest").ok_or_else(missing)?)?;
    let from = reader(body);
    let number = id.clone();
    let here = registry.clone();
    let gap = receiving(&here, move || {
        let upload = registry.depot.uploads.find(&number)?;
        let mut upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
        if !comes_next(&headers, upload.size())? {
            return Ok(Some(upload.size()));
        }
        take_in(&registry, &number, &mut upload, from)?;
        let done = upload.finish(&registry.depot.blobs, &digest);
        registry.depot.uploads.end(&number);
        done.map(|()| None)
    });
    match gap.await? {
        Some(size) => accepted(StatusCode::RANGE_NOT_SATISFIABLE, &name, &id, size),
        None => created(&name, &digest),
    }
}

/// `DELETE uploads/<id>`.
pub(super) async fn give_up(registry: Arc<Registry>, id: String) -> Answer {
    let here = registry.clone();
    receiving(&here, move || {
        let upload = registry.depot.uploads.find(&id)?;
        upload.lock().unwrap_or_else(PoisonError::into_inner).discard();
        registry.depot.uploads.end(&id);
        Ok(())
    })
    .await?;
    empty(StatusCode::NO_CONTENT, &[])
}

/// Does what waits for a sender. They may not have all the threads there are: who wants to read needs one, too.
async fn receiving<T: Send + 'static>(
    registry: &Registry,
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let _place = registry.senders.acquire().await.map_err(Refusal::trouble)?;
    blocking(work).await
}

/// Adds a piece to an upload. One that cannot be kept is over; its sender is heard to the end all the same, for who is cut
/// off while sending does not read why.
fn take_in(registry: &Registry, id: &str, upload: &mut Upload, mut from: impl Read) -> Result<(), Refusal> {
    let taken = upload.append(&mut from);
    if taken.as_ref().is_err_and(|refusal| refusal.status == StatusCode::INSUFFICIENT_STORAGE) {
        registry.depot.uploads.end(id);
        registry.depot.uploads.make_room();
        io::copy(&mut from.take(HEARD), &mut io::sink()).ok();
    }
    taken
}

fn created(name: &str, digest: &Digest) -> Answer {
    let (place, digest) = (format!("/v2/{name}/blobs/{digest}"), digest.to_string());
    let told = [("location", place.as_str()), ("docker-content-digest", &digest), ("content-length", "0")];
    empty(StatusCode::CREATED, &told)
}

fn accepted(status: StatusCode, name: &str, id: &str, size: u64) -> Answer {
    let (place, range) = (format!("/v2/{name}/blobs/uploads/{id}"), format!("0-{}", size.saturating_sub(1)));
    let mut told = vec![("location", place.as_str()), ("range", &range), ("docker-upload-uuid", id)];
    if status != StatusCode::NO_CONTENT {
        told.push(("content-length", "0"));
    }
    empty(status, &told)
}

fn answer(status: StatusCode, headers: &[(&'static str, String)], body: Body) -> Answer {
    let headers: Vec<(&'static str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    with(status, &headers, body)
}

/// Whether a piece begins where the last one ended, if it says where it does; it has to be as long as it says.
fn comes_next(headers: &HeaderMap, have: u64) -> Result<bool, Refusal> {
    let Some(range) = headers.get(header::CONTENT_RANGE) else { return Ok(true) };
    let text = range.to_str().unwrap_or_default();
    let Some((first, last)) = ends_of(text) else {
        let why = format!("{range:?} is no range");
        return Err(Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", why));
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length {
        _ if first != have => Ok(false),
        Some(length) if length.checked_add(first) != last.checked_add(1) => {
            let why = format!("the piece has {length} bytes, and not those of {text}");
            Err(Refusal::invalid("SIZE_INVALID", why))
        }
        _ => Ok(true),
    }
}

/// `500-999`, here without `bytes` before it.
fn ends_of(range: &str) -> Option<(u64, u64)> {
    let range = range.trim().trim_start_matches("bytes").trim_start_matches([' ', '=']);
    let (first, last) = range.split('/').next()?.split_once('-')?;
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last.saturating_add(1)).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_piece_begins_and_ends() {
        assert_eq!((ends_of("5-9"), ends_of("bytes 5-9/10")), (Some((5, 9)), Some((5, 9))));
        assert_eq!((ends_of("9-5"), ends_of("x")), (None, None));
    }
}

//! Manifests: asked for, pushed, deleted; and those that are about another.

use super::answer::{Answer, Refusal, blocking, empty, with};
use super::body::document;
use super::depot::Depot;
use super::document::Held;
use super::listen::{Query, Registry};
use super::lists;
use super::route::Which;
use axum::body::Body;
use http::{HeaderMap, StatusCode, header};
use layers::Digest;
use layers::blob::DOCUMENT_LIMIT;
use layers::manifest::{Descriptor, Index, media_type};
use std::sync::Arc;

/// `GET` and `HEAD`.
pub(super) async fn get(registry: Arc<Registry>, name: String, which: Which, headers: HeaderMap, head: bool) -> Answer {
    let (digest, held, bytes) = blocking(move || {
        if let Some(mirror) = &registry.mirror {
            mirror.manifest(&registry.depot, &name, &which)?;
        }
        let (digest, held) = registry.depot.manifest(&name, &which)?;
        let bytes = registry.depot.blobs.document(&digest)?;
        Ok((digest, held, bytes))
    })
    .await?;
    let (digest, length) = (digest.to_string(), bytes.len().to_string());
    let tag = format!("\"{digest}\"");
    let told = [
        ("content-type", held.media_type.as_str()),
        ("content-length", &length),
        ("docker-content-digest", &digest),
        ("etag", &tag),
    ];
    if is_known(&headers, &tag) {
        return empty(StatusCode::NOT_MODIFIED, &told[2..]);
    }
    with(StatusCode::OK, &told, if head { Body::empty() } else { Body::from(bytes) })
}

/// `PUT`.
pub(super) async fn put(registry: Arc<Registry>, name: String, which: Which, headers: HeaderMap, body: Body) -> Answer {
    let limit = usize::try_from(DOCUMENT_LIMIT).unwrap_or(usize::MAX);
    let bytes = document(body, limit).await?;
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (digest, subject, name) = blocking(move || {
        let held = Held::read(&bytes, &said)?;
        let subject = held.subject;
        let digest = registry.depot.put_manifest(&name, &which, &bytes, held, true)?;
        Ok((digest, subject, name))
    })
    .await?;
    let (place, digest) = (format!("/v2/{name}/manifests/{digest}"), digest.to_string());
    let subject = subject.map(|subject| subject.to_string());
    let mut told = vec![("location", place.as_str()), ("docker-content-digest", &digest), ("content-length", "0")];
    if let Some(subject) = &subject {
        told.push(("oci-subject", subject));
    }
    empty(StatusCode::CREATED, &told)
}

/// `DELETE`.
pub(super) async fn delete(registry: Arc<Registry>, name: String, which: Which) -> Answer {
    blocking(move || registry.depot.delete_manifest(&name, &which)).await?;
    empty(StatusCode::ACCEPTED, &[("content-length", "0")])
}

/// `GET referrers/<digest>`: an index of all manifests that are about this one, in pages. Who asks for those of nothing
/// gets an empty one.
pub(super) async fn referrers(registry: Arc<Registry>, name: String, about: Option<Digest>, query: Query) -> Answer {
    let (kind, last) = (query.get("artifactType").cloned(), query.get("last").and_then(|last| last.parse().ok()));
    let (of, wanted) = (name.clone(), kind.clone());
    let (manifests, more) = blocking(move || {
        let found = registry.depot.repository(&of, |repository| {
            let about = repository.manifests.iter().filter(|(_, held)| about.is_some() && held.subject == about);
            let about = about.filter(|(_, held)| wanted.is_none() || held.artifact_type == wanted);
            let about = about.filter(|(digest, _)| last.is_none_or(|last| **digest > last));
            about.map(|(digest, held)| (*digest, held.clone())).collect()
        });
        page(&registry.depot, found.unwrap_or_default())
    })
    .await?;
    let next = match (manifests.last().filter(|_| more), about) {
        (Some(last), Some(about)) => {
            let last = last.digest.to_string();
            let kind = kind.as_deref().map(|kind| ("artifactType", kind));
            let query: Vec<_> = [Some(("last", last.as_str())), kind].into_iter().flatten().collect();
            Some(lists::next(&format!("/v2/{name}/referrers/{about}"), &query)?)
        }
        _ => None,
    };
    let bytes = serde_json::to_vec(&Index { manifests, ..Index::default() }).map_err(Refusal::trouble)?;
    let mut told = vec![("content-type", media_type::OCI_INDEX)];
    told.extend(kind.is_some().then_some(("oci-filters-applied", "artifactType")));
    told.extend(next.as_deref().map(|next| ("link", next)));
    with(StatusCode::OK, &told, Body::from(bytes))
}

/// As many as make an index that everybody reads; and whether there are more.
fn page(depot: &Depot, found: Vec<(Digest, Arc<Held>)>) -> Result<(Vec<Descriptor>, bool), Refusal> {
    let (mut manifests, mut room) = (Vec::new(), DOCUMENT_LIMIT / 2);
    for (digest, held) in found {
        let one = held.descriptor(&digest, &depot.blobs.document(&digest)?);
        let size = serde_json::to_vec(&one).map_err(Refusal::trouble)?.len() as u64;
        // One that is too large by itself is no reason to stop here for ever.
        if size > room && !manifests.is_empty() {
            return Ok((manifests, true));
        }
        room = room.saturating_sub(size);
        manifests.push(one);
    }
    Ok((manifests, false))
}

/// Whether who asks has it already (RFC 9110, section 13.1.2).
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    asked
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == "*" || one == tag || one == tag.trim_matches('"'))
}

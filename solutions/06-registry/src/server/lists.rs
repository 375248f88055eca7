//! What there is: repositories, and the tags of one. Both come in pages.

use super::answer::{Answer, Refusal, blocking, with};
use super::listen::{Query, Registry};
use axum::body::Body;
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// `GET _catalog`.
pub(super) async fn catalogue(registry: Arc<Registry>, query: Query) -> Answer {
    let names = registry.depot.catalogue().repositories.keys().cloned().collect();
    let page = Page::of(names, &query)?;
    page.answer("/v2/_catalog", |names| json!({ "repositories": names }))
}

/// `GET tags/list`.
pub(super) async fn tags(registry: Arc<Registry>, name: String, query: Query) -> Answer {
    let of = name.clone();
    let tags = blocking(move || {
        if let Some(tags) = registry.mirror.as_ref().and_then(|mirror| mirror.tags(&of)) {
            return Ok(tags);
        }
        registry.depot.repository(&of, |repository| repository.tags.keys().cloned().collect())
    });
    let page = Page::of(tags.await?, &query)?;
    page.answer(&format!("/v2/{name}/tags/list"), |tags| json!({ "name": name, "tags": tags }))
}

/// A part of a list.
struct Page {
    names: Vec<String>,
    /// How many were asked for, if there are more.
    more: Option<usize>,
}

impl Page {
    /// `n` of them, after `last`.
    fn of(mut names: Vec<String>, query: &Query) -> Result<Self, Refusal> {
        let bad = |_| Refusal::invalid("UNSUPPORTED", "n has to be a number");
        let count: Option<usize> = query.get("n").map(|n| n.parse().map_err(bad)).transpose()?;
        names.sort_by_cached_key(|name| place(name));
        if let Some(last) = query.get("last") {
            let last = place(last);
            names.retain(|name| place(name) > last);
        }
        let more = count.filter(|count| names.len() > *count && *count > 0);
        names.truncate(count.unwrap_or(usize::MAX));
        Ok(Self { names, more })
    }

    fn answer(&self, path: &str, body: impl Fn(&[String]) -> serde_json::Value) -> Answer {
        let body = Body::from(body(&self.names).to_string());
        let mut told = vec![("content-type", "application/json".to_owned())];
        if let (Some(count), Some(last)) = (self.more, self.names.last()) {
            told.push(("link", next(path, &[("n", &count.to_string()), ("last", last)])?));
        }
        let told: Vec<(&'static str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
        with(StatusCode::OK, &told, body)
    }
}

/// Where a name stands in a list: "case-insensitive alphanumeric order", and each has a place of its own.
fn place(name: &str) -> (String, String) {
    (name.to_ascii_lowercase(), name.to_owned())
}

/// The header that says where the next page is (RFC 8288).
pub(super) fn next(path: &str, query: &[(&str, &str)]) -> Result<String, Refusal> {
    let query = serde_urlencoded::to_string(query).map_err(Refusal::trouble)?;
    Ok(format!("<{path}?{query}>; rel=\"next\""))
}

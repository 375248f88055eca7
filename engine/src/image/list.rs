//! Which images there are: `images`.

use crate::container::list::Filters;
use crate::filters::{boolean, has_labels, only, time, values};
use crate::image;
use crate::{Engine, Error, Kind, Result, api};
use layers::{Image, Store};

impl Engine {
    /// The images that fit, newest first; those without a name that others were made from only with `all`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a filter that does not exist.
    pub fn images(&self, all: bool, filters: &Filters) -> Result<Vec<api::ImageSummary>> {
        only(filters, &["dangling", "label", "before", "since", "reference", "until"])?;
        let store = self.store()?;
        let known = store.images()?;
        let selection = Selection::new(store, filters, all)?;
        let used: Vec<String> = self.entries()?.into_iter().map(|entry| entry.record.image_id).collect();
        let mut rows = Vec::new();
        for image in known.iter().filter(|image| selection.fits(image, &known)) {
            let Some((tags, digests)) = selection.names(image) else { continue };
            let id = image.id.to_string();
            rows.push(api::ImageSummary {
                containers: used.iter().filter(|other| **other == id).count() as i64,
                created: image.made_seconds(),
                labels: image.config.config.labels.clone(),
                parent_id: image.parent.map(|parent| parent.to_string()).unwrap_or_default(),
                repo_digests: digests,
                repo_tags: tags,
                shared_size: -1,
                size: image::size(store, image),
                id,
            });
        }
        Ok(rows)
    }
}

struct Selection<'a> {
    filters: &'a Filters,
    all: bool,
    dangling: Option<bool>,
    /// Created before, and after, in seconds since 1970.
    before: Option<i64>,
    since: Option<i64>,
}

impl<'a> Selection<'a> {
    fn new(store: &Store, filters: &'a Filters, all: bool) -> Result<Self> {
        let created = |name: &String| Ok(store.resolve(name)?.made_seconds());
        let named = |key| values(filters, key).iter().map(created).collect::<Result<Vec<i64>>>();
        let mut before = named("before")?;
        for value in values(filters, "until") {
            let until = time(value).ok_or_else(|| {
                Error::new(Kind::Invalid, format!("failed to parse value as time or duration: {value:?}"))
            })?;
            before.push(until.as_second());
        }
        Ok(Self {
            filters,
            all,
            dangling: boolean(filters, "dangling")?,
            before: before.into_iter().min(),
            since: named("since")?.into_iter().max(),
        })
    }

    fn fits(&self, image: &Image, known: &[Image]) -> bool {
        let created = image.made_seconds();
        let labels = image.config.config.labels.clone().unwrap_or_default();
        let by_dangling = match self.dangling {
            Some(true) => Store::is_dangling(image, known) || (image.tags().is_empty() && !image.names.is_empty()),
            Some(false) => !image.names.is_empty(),
            None => self.all || !image.names.is_empty() || Store::is_dangling(image, known),
        };
        by_dangling
            && self.before.is_none_or(|before| created < before)
            && self.since.is_none_or(|since| created > since)
            && has_labels(values(self.filters, "label"), &labels)
    }

    /// The names to show: with `reference=…` only those that match, and None when none does.
    fn names(&self, image: &Image) -> Option<(Vec<String>, Vec<String>)> {
        let patterns = values(self.filters, "reference");
        if patterns.is_empty() {
            return Some((image.tags(), image.digests()));
        }
        let fits = |name: &String| patterns.iter().any(|pattern| matches_reference(pattern, name));
        let kept = |names: Vec<String>| names.into_iter().filter(fits).collect::<Vec<_>>();
        let (tags, digests) = (kept(image.tags()), kept(image.digests()));
        (!tags.is_empty() || !digests.is_empty()).then_some((tags, digests))
    }
}

/// A pattern fits the whole familiar name, or the part without tag and digest.
fn matches_reference(pattern: &str, name: &str) -> bool {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let bare = name[start..].find([':', '@']).map_or(name, |end| &name[..start + end]);
    glob(pattern.as_bytes(), name.as_bytes()) || glob(pattern.as_bytes(), bare.as_bytes())
}

/// Go's path.Match: `*` and `?` do not cross a slash, `[a-z]` and `[^a-z]` are classes, a backslash takes the next byte
/// as it is.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let reach = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=reach).any(|taken| glob(rest, &text[taken..]))
        }
        ([b'?', rest @ ..], [byte, after @ ..]) => *byte != b'/' && glob(rest, after),
        ([b'[', rest @ ..], [byte, after @ ..]) => match class(rest, *byte) {
            Some((holds, rest)) => holds && glob(rest, after),
            None => false,
        },
        ([b'\\', literal, rest @ ..], [byte, after @ ..]) | ([literal, rest @ ..], [byte, after @ ..]) => {
            literal == byte && glob(rest, after)
        }
        _ => false,
    }
}

/// Whether a byte is in the class that begins here, and what follows the class. None if it does not end.
fn class(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    loop {
        match rest {
            [b']', after @ ..] => return Some((found != negated, after)),
            [low, b'-', high, after @ ..] if *high != b']' => {
                found |= (*low..=*high).contains(&byte);
                rest = after;
            }
            [one, after @ ..] => {
                found |= *one == byte;
                rest = after;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_match_as_paths_do() {
        for (pattern, name) in [
            ("busybox", "busybox:latest"),
            ("busy*", "busybox:latest"),
            ("busy*:lat*", "busybox:latest"),
            ("*/busybox", "me/busybox:1"),
            ("b?sybox:[0-9]", "busybox:1"),
            ("b[^a]sybox", "busybox@sha256:00"),
            ("host:5000/*/web", "host:5000/team/web:2"),
            ("bus\\ybox", "busybox:1"),
        ] {
            assert!(matches_reference(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("busy", "busybox:1"), ("*", "me/busybox:1"), ("b[u", "bu:1"), ("*:2", "busybox:1")] {
            assert!(!matches_reference(pattern, name), "{pattern} {name}");
        }
    }
}

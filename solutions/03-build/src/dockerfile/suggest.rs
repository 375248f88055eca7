//! `(did you mean RUN?)`

/// More letters than this are not a slip.
const MAX_DISTANCE: usize = 2;

/// The known name that is nearest to what was written; None if none is near, or if it is right.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance is the longer one's length at least less the shorter one's: no need to look at a megabyte.
    let near = |name: &&str| name.len().abs_diff(written.len()) <= MAX_DISTANCE * 4;
    let distances = known.into_iter().filter(near).map(|name| (strsim::levenshtein(written, name), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (1..=MAX_DISTANCE).contains(&distance).then_some(name)
}

/// The message, with the nearest name as Docker adds it.
#[must_use]
pub fn suggested<'a>(message: String, written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(written, known) {
        Some(name) => format!("{message} (did you mean {name}?)"),
        None => message,
    }
}

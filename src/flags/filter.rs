//! `--filter name=value`, as often as wanted.

use engine::Filters;

/// One of them.
pub fn parse(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_lowercase(), value.trim().to_owned())),
        None => Err("bad format of filter (expected name=value)".to_owned()),
    }
}

/// All of them, as the API takes them.
pub fn collect(pairs: &[(String, String)]) -> Filters {
    let mut filters = Filters::new();
    for (name, value) in pairs {
        let values = filters.entry(name.clone()).or_default();
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    filters
}

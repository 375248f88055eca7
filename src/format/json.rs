//! JSON as Docker prints it: four spaces in `inspect`, and one line elsewhere.

use serde::Serialize;
use serde_json::Value;

/// Indented by four spaces, in the order it came.
pub fn indented(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        // Writing a tree of JSON to memory does not fail; should it ever, one line is better than none.
        Err(_) => value.to_string(),
    }
}

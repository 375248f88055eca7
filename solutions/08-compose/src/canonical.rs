//! Every value into its one long form; and the place where a wrong one is found, while it is still known where it stands.

use crate::error::{Error, Result};
use crate::schema::{Field, Scope, Shape};
use crate::service::SERVICE;
use crate::tree::{At, Entry, Map, Node, Value};
use crate::{hosts, scalar, words};

/// The node as this shape has it.
///
/// # Errors
/// A value of another kind, and a key that there is not.
pub fn canonical(node: Node, shape: &Shape, scope: &Scope) -> Result<Node> {
    // Nothing was said; and what is to be forgotten needs no form.
    if node.value == Value::Null && !matches!(shape, Shape::Short(..)) || node.tag == Some(crate::tree::Tag::Reset) {
        return Ok(node);
    }
    if scope.raw && node.text().is_some_and(|text| text.contains('$')) && !matches!(shape, Shape::Path | Shape::Context)
    {
        return Ok(node);
    }
    let Node { at, tag, value } = node;
    let value = match shape {
        Shape::Short(rewrite, inner) => {
            let mut node = canonical(rewrite(Node { at, tag, value }, scope)?, inner, scope)?;
            node.tag = node.tag.or(tag);
            return Ok(node);
        }
        Shape::Free => value,
        Shape::Named(inner) => Value::Map(named(value, inner, &at, scope)?),
        Shape::Fields(fields) | Shape::SameOnly(_, fields) => Value::Map(mapping(value, fields, &at, scope)?),
        Shape::Listed(inner, unique) => {
            let Value::List(list) = value else { return Err(wrong(&at, scope, "a list")) };
            let element =
                |(i, node)| canonical(node, inner, &Scope { key: format!("{}[{i}]", scope.key), ..scope.clone() });
            let list = list.into_iter().enumerate().map(element).collect::<Result<Vec<Node>>>()?;
            Value::List(crate::merge::once(list, unique, inner))
        }
        Shape::Labels => Value::Map(words::pairs(value, Some(""), &at, scope)?),
        Shape::Variables => Value::Map(words::pairs(value, None, &at, scope)?),
        Shape::Hosts => Value::List(hosts::list(value, &at, scope)?),
        Shape::Argv => Value::List(words::argv(value, &at, scope)?),
        Shape::Test => Value::List(words::test(value, &at, scope)?),
        shape => scalar::scalar(value, shape, &at, scope)?,
    };
    Ok(Node { at, tag, value })
}

/// A complaint about the kind of a value, in the words of docker compose.
pub(crate) fn wrong(at: &At, scope: &Scope, must: &str) -> Error {
    Error::at(at, &scope.key, format_args!("must be {must}"))
}

fn named(value: Value, inner: &Shape, at: &At, scope: &Scope) -> Result<Map> {
    let Value::Map(mut map) = value else { return Err(wrong(at, scope, "a mapping")) };
    for entry in &mut map.0 {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let free = matches!(inner, Shape::Context);
        if !free && (entry.key.is_empty() || !entry.key.chars().all(allowed)) {
            let what = format!("the name {:?} may have letters, digits, `.`, `_` and `-` only", entry.key);
            return Err(Error::at(&entry.at, &scope.key, what));
        }
        let below = scope.below(&entry.key);
        if std::ptr::eq(inner, &raw const SERVICE) && entry.node.map().is_none() {
            return Err(wrong(&entry.node.at, &below, "a mapping"));
        }
        entry.node = canonical(take(entry), inner, &below)?;
    }
    Ok(map)
}

fn mapping(value: Value, fields: &[Field], at: &At, scope: &Scope) -> Result<Map> {
    let Value::Map(mut map) = value else { return Err(wrong(at, scope, "a mapping")) };
    for entry in &mut map.0 {
        if entry.key.starts_with("x-") {
            continue;
        }
        let Some(field) = fields.iter().find(|field| field.key == entry.key) else {
            return Err(unknown(&entry.at, &entry.key, fields, scope));
        };
        if let Shape::Unsupported = field.shape {
            let what = "this key of the specification is not supported";
            return Err(Error::at(&entry.at, &scope.below(&entry.key).key, what));
        }
        entry.node = canonical(take(entry), &field.shape, &scope.below(&entry.key))?;
    }
    // A key that says nothing is not there, except where that is the very thing it says.
    map.0.retain(|entry| {
        entry.node.value != Value::Null
            || entry.node.tag.is_some()
            || entry.key.starts_with("x-")
            || matches!(entry.key.as_str(), "command" | "entrypoint")
    });
    Ok(map)
}

/// The value out of its entry, to be put back in another form.
fn take(entry: &mut Entry) -> Node {
    let nothing = Node::new(&entry.at, Value::Null);
    std::mem::replace(&mut entry.node, nothing)
}

fn unknown(at: &At, key: &str, fields: &[Field], scope: &Scope) -> Error {
    let near = nearest(key, fields.iter().map(|field| field.key));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Error::at(at, &scope.key, format_args!("additional properties '{key}' not allowed{hint}"))
}

/// The one of these that a slip of the pen would make this of.
pub(crate) fn nearest<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &&str| strsim::damerau_levenshtein(word, other);
    all.min_by_key(distance).filter(|near| distance(near) <= 2.min(word.len() / 2))
}

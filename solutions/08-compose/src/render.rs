//! The tree as docker compose writes it: keys in the order of the table, names sorted, and without what is empty.

use crate::schema::{Field, Shape, Shown};
use crate::tree::{Map, Node, Value as Tree};
use serde_json::{Map as Object, Number, Value};

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// A person: with `x-…`.
    Yaml,
    /// A program, and the hash.
    Json,
    /// A person who wants it as it was written: all that is there, sorted.
    Raw,
}

/// The value; None if there is nothing to be written.
pub fn render(node: &Node, shape: &Shape, whom: For) -> Value {
    match (&node.value, shape) {
        (Tree::Null, _) => Value::Null,
        (Tree::Bool(value), _) => Value::Bool(*value),
        (Tree::Int(value), _) => Value::Number((*value).into()),
        (Tree::Float(value), _) => Number::from_f64(*value).map_or_else(|| value.to_string().into(), Value::Number),
        (Tree::Text(text), _) => Value::String(text.clone()),
        (Tree::List(list), Shape::Short(_, inner)) if !matches!(inner, Shape::Listed(..)) => each(list, inner, whom),
        (_, Shape::Short(_, inner)) => render(node, inner, whom),
        (Tree::List(list), Shape::Listed(inner, _)) => each(list, inner, whom),
        (Tree::List(list), _) => each(list, &Shape::Free, whom),
        (Tree::Map(map), _) if whom == For::Raw => sorted(map, |key| crate::merge::below(shape, key), whom),
        // A ulimit of one number.
        (Tree::Map(map), Shape::Fields(_)) if map.has("single") => {
            map.get("single").map_or(Value::Null, |node| render(node, &Shape::Whole, whom))
        }
        (Tree::Map(map), Shape::Fields(fields) | Shape::SameOnly(_, fields)) => keys(map, fields, whom),
        (Tree::Map(map), Shape::Named(inner)) => sorted(map, |_| inner, whom),
        (Tree::Map(map), _) => sorted(map, |_| &Shape::Free, whom),
    }
}

fn each(list: &[Node], inner: &Shape, whom: For) -> Value {
    Value::Array(list.iter().map(|node| render(node, inner, whom)).collect())
}

fn keys(map: &Map, fields: &[Field], whom: For) -> Value {
    let mut object = Object::new();
    for field in fields {
        let value = map.get(field.key).map(|node| render(node, &field.shape, whom));
        let is_struct = matches!(field.shown, Shown::Null | Shown::Struct) && whom == For::Json;
        let shown = match (&value, field.shown) {
            (None | Some(Value::Null), Shown::Null) if is_struct => Some(Value::Null),
            (None, Shown::Struct) if is_struct => Some(Value::Object(empty(&field.shape))),
            (None | Some(Value::Null), _) => None,
            (Some(value), Shown::Filled | Shown::Struct) if is_zero(value) && !is_struct => None,
            (Some(Value::Bool(true)), Shown::False) => None,
            _ => value,
        };
        shown.into_iter().for_each(|value| drop(object.insert(field.key.to_owned(), value)));
    }
    if whom == For::Yaml {
        let mut extensions: Vec<_> = map.0.iter().filter(|entry| entry.key.starts_with("x-")).collect();
        extensions.sort_by(|a, b| a.key.cmp(&b.key));
        for entry in extensions {
            object.insert(entry.key.clone(), render(&entry.node, &Shape::Free, whom));
        }
    }
    Value::Object(object)
}

/// What JSON has for a struct that was not told.
fn empty(shape: &Shape) -> Object<String, Value> {
    let mut object = Object::new();
    if let Shape::Fields(fields) = shape {
        for field in fields.iter().filter(|field| field.shown == Shown::Null) {
            object.insert(field.key.to_owned(), Value::Null);
        }
    }
    object
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

fn sorted<'a>(map: &Map, shape: impl Fn(&str) -> &'a Shape, whom: For) -> Value {
    let mut entries: Vec<_> = map.0.iter().collect();
    match whom {
        For::Json => entries.sort_by(|a, b| a.key.cmp(&b.key)),
        For::Yaml | For::Raw => entries.sort_by_cached_key(|entry| tokens(&entry.key)),
    }
    let each = |entry: &&crate::tree::Entry| (entry.key.clone(), render(&entry.node, shape(&entry.key), whom));
    Value::Object(entries.iter().map(each).collect())
}

/// What a name is sorted by in YAML: `web2` before `web10`, and what is no letter before letters, except after a number.
fn tokens(name: &str) -> Vec<(u8, u64, usize)> {
    let mut tokens = Vec::new();
    let mut rest = name;
    let mut after_number = false;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            tokens.push((1, rest[..end].parse().unwrap_or(u64::MAX), end));
            (rest, after_number) = (&rest[end..], true);
            continue;
        }
        let class = match c.is_alphabetic() {
            false => 1,
            true if after_number => 0,
            true => 2,
        };
        // A sign comes before any number.
        tokens.push((if class == 1 && !after_number { 0 } else { class }, u64::from(c), 0));
        (rest, after_number) = (&rest[c.len_utf8()..], false);
    }
    tokens
}

/// JSON as Go writes it, for whom `<`, `>` and `&` in a text are dangerous.
pub fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

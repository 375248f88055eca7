//! Commands, tests, and `KEY=value`.

use crate::canonical::wrong;
use crate::error::{Error, Result};
use crate::schema::Scope;
use crate::tree::{At, Entry, Map, Node, Value};

/// A command's words: a list, or a text that is split as a shell splits it.
pub(crate) fn argv(value: Value, at: &At, scope: &Scope) -> Result<Vec<Node>> {
    match value {
        Value::Text(text) => {
            let words = split(&text).map_err(|what| Error::at(at, &scope.key, what))?;
            Ok(words.into_iter().map(|word| Node::of_text(at, word)).collect())
        }
        Value::List(list) => list.into_iter().map(|node| word(node, scope)).collect(),
        _ => Err(wrong(at, scope, "a string or a list of strings")),
    }
}

/// What a health check runs: a text is for the shell.
pub(crate) fn test(value: Value, at: &At, scope: &Scope) -> Result<Vec<Node>> {
    let list: Vec<Node> = match value {
        Value::Text(text) => return Ok(vec![Node::of_text(at, "CMD-SHELL"), Node::of_text(at, text)]),
        Value::List(list) => list.into_iter().map(|node| word(node, scope)).collect::<Result<_>>()?,
        _ => return Err(wrong(at, scope, "a string or a list of strings")),
    };
    match list.first().and_then(Node::text) {
        None | Some("NONE" | "CMD" | "CMD-SHELL") => Ok(list),
        Some(_) => {
            Err(Error::at(at, &scope.key, "when the test is a list, its first item is one of NONE, CMD and CMD-SHELL"))
        }
    }
}

fn word(node: Node, scope: &Scope) -> Result<Node> {
    if node.text().is_some() { Ok(node) } else { Err(wrong(&node.at, scope, "a list of strings; quote this one")) }
}

/// Splits as a POSIX shell does, without its expansions.
fn split(text: &str) -> std::result::Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(q), c) if q == c => quote = None,
            (None | Some('"'), '\\') => {
                let next = chars.next().ok_or("the command ends in a backslash")?;
                word.get_or_insert_default().push(next);
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = quote {
        return Err(format!("invalid command line string: the {quote} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// `KEY=value` lines, or a mapping of them, as a mapping of texts. What has no value gets `none`, or stays without.
pub(crate) fn pairs(value: Value, none: Option<&str>, at: &At, scope: &Scope) -> Result<Map> {
    let mut map = Map::default();
    match value {
        Value::Map(given) => {
            for Entry { at, key, node } in given.0 {
                let text = match (&node.value, none) {
                    (Value::Null, Some(none)) => Value::Text(none.to_owned()),
                    (Value::Null, None) => Value::Null,
                    _ => Value::Text(
                        node.scalar()
                            .ok_or_else(|| wrong(&node.at, &scope.below(&key), "a string, number, boolean or null"))?,
                    ),
                };
                map.0.push(Entry { at, key, node: Node { value: text, ..node } });
            }
        }
        Value::List(list) => {
            for node in list {
                let text = node.text().ok_or_else(|| wrong(&node.at, scope, "a list of KEY=value strings"))?;
                let (key, value) = match text.split_once('=') {
                    Some((key, value)) => (key, Value::Text(value.to_owned())),
                    None => (text, none.map_or(Value::Null, |none| Value::Text(none.to_owned()))),
                };
                map.set(key, Node::new(&node.at, value));
            }
        }
        _ => return Err(wrong(at, scope, "a mapping or a list of KEY=value strings")),
    }
    Ok(map)
}

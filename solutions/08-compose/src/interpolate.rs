//! `${VARIABLE}` in texts (compose-spec, "Interpolation").

use crate::error::{Error, Result};
use crate::tree::{Node, Value};
use std::collections::BTreeMap;

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// How deep `${a:-${b:-…}}` may nest.
const DEPTH: usize = 64;
/// How long a text may become.
const LENGTH: usize = 1 << 20;

/// Why a text could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("invalid interpolation format.\nYou may need to escape any $ with another $.\n{0}")]
    Format(String),
    #[error("required variable {0} is missing a value{sep}{1}", sep = if .1.is_empty() { "" } else { ": " })]
    Missing(String, String),
    #[error("this nests deeper than {DEPTH} levels")]
    Deep,
    #[error("this becomes longer than {LENGTH} bytes")]
    Long,
}

/// A text with its variables put in. `unset` is told the name of each that has no value, and of which the text is silent.
///
/// | | set | empty | unset |
/// |---|---|---|---|
/// | `$x` `${x}` | value | empty | empty, with a warning |
/// | `${x:-word}` | value | word | word |
/// | `${x-word}` | value | empty | word |
/// | `${x:?word}` | value | error | error |
/// | `${x?word}` | value | empty | error |
/// | `${x:+word}` | word | empty | empty |
/// | `${x+word}` | word | word | empty |
///
/// `$$` is a `$`; a word may have variables itself, which are looked at only if the word is used.
///
/// # Errors
/// What is no variable, and a required one that is missing.
pub fn substitute(
    text: &str,
    variables: &Variables,
    unset: &mut dyn FnMut(&str),
) -> std::result::Result<String, Fault> {
    expand(text, variables, unset, 0)
}

fn expand(
    text: &str,
    variables: &Variables,
    unset: &mut dyn FnMut(&str),
    depth: usize,
) -> std::result::Result<String, Fault> {
    if depth > DEPTH {
        return Err(Fault::Deep);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out += &rest[..at];
        let after = &rest[at + 1..];
        let invalid = || Fault::Format(text.to_owned());
        match after.chars().next() {
            Some('$') => {
                out.push('$');
                rest = &after[1..];
            }
            Some('{') => {
                let end = closing(after).ok_or_else(invalid)?;
                out += &braced(&after[1..end], variables, unset, depth).map_err(|fault| match fault {
                    Fault::Format(_) => invalid(),
                    fault => fault,
                })?;
                rest = &after[end + 1..];
            }
            _ => {
                let end = name(after);
                if end == 0 {
                    return Err(invalid());
                }
                out += lookup(&after[..end], variables, unset);
                rest = &after[end..];
            }
        }
        if out.len() > LENGTH {
            return Err(Fault::Long);
        }
    }
    out += rest;
    Ok(out)
}

/// How much of the text is a variable's name.
fn name(text: &str) -> usize {
    let is_first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if is_first { end } else { 0 }
}

/// Where the brace that the text begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 1 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn lookup<'a>(name: &str, variables: &'a Variables, unset: &mut dyn FnMut(&str)) -> &'a str {
    variables.get(name).map_or_else(
        || {
            unset(name);
            ""
        },
        String::as_str,
    )
}

/// What stands between the braces: a [`name()`], an operator (`-`, `?` or `+`, each with or without a `:` before it) and a word, or
/// the name alone. What they mean is the table at [`substitute`].
///
/// A word that is used is [`expand`]ed, one level deeper; one that is not is not looked at. The word of `?` says why, in
/// [`Fault::Missing`]. A name alone is a [`lookup`].
///
/// # Errors
/// [`Fault::Format`] with `inner`, if it begins with no name, or goes on with anything else.
fn braced(
    inner: &str,
    variables: &Variables,
    unset: &mut dyn FnMut(&str),
    depth: usize,
) -> std::result::Result<String, Fault> {
    // exercise: 8.2 braced: the value, the word, nothing, or an error
    let end = name(inner);
    let (name, operator) = inner.split_at(end);
    if name.is_empty() {
        return Err(Fault::Format(inner.to_owned()));
    }
    let value = variables.get(name);
    // With a colon, an empty value is as good as none.
    let (value, operator) = match operator.strip_prefix(':') {
        Some(operator) => (value.filter(|value| !value.is_empty()), operator),
        None => (value, operator),
    };
    let word = operator.get(1..).unwrap_or_default();
    match (operator.chars().next(), value) {
        (None, _) if inner == name => Ok(lookup(name, variables, unset).to_owned()),
        (Some('-' | '?'), Some(value)) => Ok(value.clone()),
        (Some('-'), None) | (Some('+'), Some(_)) => expand(word, variables, unset, depth + 1),
        (Some('+'), None) => Ok(String::new()),
        (Some('?'), None) => Err(Fault::Missing(name.to_owned(), expand(word, variables, unset, depth + 1)?)),
        _ => Err(Fault::Format(inner.to_owned())),
    }
    // end exercise
}

/// All texts of a document; keys stay as they are.
pub(crate) fn document(node: &mut Node, key: &str, variables: &Variables, unset: &mut dyn FnMut(&str)) -> Result<()> {
    match &mut node.value {
        Value::Text(text) if text.contains('$') => {
            *text = substitute(text, variables, unset).map_err(|fault| Error::at(&node.at, key, fault))?;
            Ok(())
        }
        Value::List(list) => {
            let each = |(i, node)| document(node, &format!("{key}[{i}]"), variables, unset);
            list.iter_mut().enumerate().try_for_each(each)
        }
        Value::Map(map) => map.0.iter_mut().try_for_each(|entry| {
            let below = if key.is_empty() { entry.key.clone() } else { format!("{key}.{}", entry.key) };
            document(&mut entry.node, &below, variables, unset)
        }),
        _ => Ok(()),
    }
}

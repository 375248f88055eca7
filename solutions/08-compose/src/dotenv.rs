//! Env files: `KEY=value` lines, with quotes, comments and variables of lines before.

use crate::error::{Error, Result};
use crate::interpolate::{Variables, substitute};
use crate::tree::ENTRIES;
use std::path::Path;

/// What a line of an env file says.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// A name, its value, and whether variables are looked for in it.
    Is(String, String, bool),
    /// Only a name: its value is what it is outside.
    Inherited(String),
}

/// The file's variables. Those of `outer` can be used in it, and come before its own; with `raw`, values are as they stand.
///
/// # Errors
/// What is no such line.
pub(crate) fn parse(file: &Path, text: &str, outer: &Variables, raw: bool) -> Result<Variables> {
    let mut found = Variables::new();
    // What a value may use: the world, and what came before.
    let mut known = outer.clone();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix('#') {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        if rest.is_empty() {
            return Ok(found);
        }
        let before = &text[..text.len() - rest.len()];
        let fault = |what: String| {
            let number = before.matches('\n').count() + 1;
            Error::EnvFile { place: format!("{}:{number}", file.display()), what }
        };
        let (line, after) = statement(rest, raw).map_err(&fault)?;
        rest = after;
        let (name, value) = match line {
            Line::Inherited(name) => match outer.get(&name) {
                Some(value) => (name, value.clone()),
                None => continue,
            },
            Line::Is(name, value, false) => (name, value),
            Line::Is(name, value, true) => {
                let value =
                    substitute(&value, &known, &mut |name| unset(name)).map_err(|why| fault(why.to_string()))?;
                (name, value)
            }
        };
        if found.len() == ENTRIES {
            return Err(fault(format!("this file has more than {ENTRIES} variables")));
        }
        known.entry(name.clone()).or_insert_with(|| value.clone());
        found.insert(name, value);
    }
}

/// That a variable has no value, in Docker's words.
pub(crate) fn unset(name: &str) {
    tracing::warn!("The {name:?} variable is not set. Defaulting to a blank string.");
}

/// One statement, and what follows it.
fn statement(text: &str, raw: bool) -> std::result::Result<(Line, &str), String> {
    let text = text.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(text, str::trim_start);
    let end = text.find(['=', ':', '\n']).unwrap_or(text.len());
    let name = text[..end].trim();
    let odd = |c: char| !(c.is_alphanumeric() || "_.-[]".contains(c));
    if let Some(c) = name.chars().find(|c| odd(*c)) {
        let first = text.lines().next().unwrap_or_default();
        return Err(match c {
            ' ' => "key cannot contain a space".to_owned(),
            c => format!("unexpected character {c:?} in variable name {first:?}"),
        });
    }
    if name.is_empty() {
        return Err("a line begins with a name".to_owned());
    }
    let after = text[end..].strip_prefix(['=', ':']);
    let Some(after) = after.map(|after| after.trim_start_matches([' ', '\t', '\r'])) else {
        return Ok((Line::Inherited(name.to_owned()), &text[end..]));
    };
    let (value, expands, rest) = match after.chars().next().filter(|_| !raw) {
        Some(quote @ ('"' | '\'')) => {
            let (value, rest) = quoted(&after[1..], quote).ok_or("unterminated quoted value")?;
            (value, quote == '"', rest)
        }
        _ => {
            let (line, rest) = after.split_once('\n').unwrap_or((after, ""));
            let value = if raw { line } else { line.split(" #").next().unwrap_or_default() };
            (value.trim_end().to_owned(), !raw, rest)
        }
    };
    Ok((Line::Is(name.to_owned(), value, expands), rest))
}

/// Up to the quote that ends it, which a backslash takes its meaning from.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                next if next == quote => value.push(next),
                '$' if quote == '"' => value.push_str("$$"),
                'n' if quote == '"' => value.push('\n'),
                't' if quote == '"' => value.push('\t'),
                'r' if quote == '"' => value.push('\r'),
                '\\' if quote == '"' => value.push('\\'),
                next => value.extend(['\\', next]),
            },
            c => value.push(c),
        }
    }
    None
}

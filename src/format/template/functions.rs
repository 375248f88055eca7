//! The functions a template may call: Go's own, and the eight that Docker adds.

use super::printf;
use super::value::{Kind, Value};
use std::cmp::Ordering;
use std::rc::Rc;

/// Why a call did not return.
pub(super) enum Call {
    /// Wrong number or type of arguments.
    Misused(String),
    /// The function ran and gave an error.
    Failed(String),
}

const NAMES: &[&str] = &[
    "and", "eq", "ge", "gt", "html", "index", "join", "js", "json", "le", "len", "lower", "lt", "ne", "not", "or",
    "pad", "print", "printf", "println", "slice", "split", "title", "truncate", "upper", "urlquery",
];

/// Functions of Docker's that leave a column's name alone.
const SHAPING: &[&str] = &["json", "split", "join", "title", "lower", "upper", "truncate"];

pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls a function. On the line of headings (`header`), the functions that would change a name do not.
pub(super) fn call(name: &str, args: &[Value], header: bool) -> Result<Value, Call> {
    if header && SHAPING.contains(&name) {
        // The name is the piped value, and so the last; in `json .X` and `join .X ","` it is the first.
        return Ok(args.first().cloned().unwrap_or(Value::Nil));
    }
    match name {
        "json" => Ok(compact(&exactly::<1>(name, args)?[0]).into()),
        "lower" => Ok(text(name, args)?.to_lowercase().into()),
        "upper" => Ok(text(name, args)?.to_uppercase().into()),
        "title" => Ok(title(text(name, args)?).into()),
        "split" => {
            let [from, separator] = exactly::<2>(name, args)?;
            Ok(split(string(from)?, string(separator)?))
        }
        "join" => {
            let [list, separator] = exactly::<2>(name, args)?;
            join(list, string(separator)?)
        }
        "pad" => {
            let [from, before, after] = exactly::<3>(name, args)?;
            Ok(pad(string(from)?, integer(before)?, integer(after)?).into())
        }
        "truncate" => {
            let [from, length] = exactly::<2>(name, args)?;
            Ok(truncate(string(from)?, integer(length)?).into())
        }
        "print" => Ok(printf::print(args).into()),
        "println" => Ok((args.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ") + "\n").into()),
        "printf" => match args.split_first() {
            Some((format, rest)) => Ok(printf::printf(string(format)?, rest).into()),
            None => Err(Call::Misused("wrong number of args for printf: want at least 1 got 0".into())),
        },
        "html" => Ok(escape_html(&printf::print(args)).into()),
        "js" => Ok(escape_js(&printf::print(args)).into()),
        "urlquery" => Ok(escape_url(&printf::print(args)).into()),
        "len" => length(&exactly::<1>(name, args)?[0]),
        "index" => index(args),
        "slice" => slice(args),
        "not" => Ok(Value::Bool(!exactly::<1>(name, args)?[0].is_true())),
        "eq" => equal(args),
        "ne" => {
            let [a, b] = exactly::<2>(name, args)?;
            Ok(Value::Bool(!same(a, b)?))
        }
        "lt" => compare(name, args, |o| o == Ordering::Less),
        "le" => compare(name, args, |o| o != Ordering::Greater),
        "gt" => compare(name, args, |o| o == Ordering::Greater),
        "ge" => compare(name, args, |o| o != Ordering::Less),
        _ => Err(Call::Misused(format!("{name:?} is not a defined function"))),
    }
}

fn exactly<'a, const N: usize>(name: &str, args: &'a [Value]) -> Result<&'a [Value; N], Call> {
    args.try_into().map_err(|_| Call::Misused(format!("wrong number of args for {name}: want {N} got {}", args.len())))
}

fn string(value: &Value) -> Result<&str, Call> {
    match value {
        Value::String(s) => Ok(s),
        Value::Nil => Err(Call::Misused("invalid value; expected string".into())),
        other => Err(Call::Misused(format!("wrong type for value; expected string; got {}", other.type_name()))),
    }
}

fn integer(value: &Value) -> Result<i64, Call> {
    match value {
        Value::Int(i) => Ok(*i),
        other => Err(Call::Misused(format!("expected integer; found {other}"))),
    }
}

fn text<'a>(name: &str, args: &'a [Value]) -> Result<&'a str, Call> {
    let [value] = exactly::<1>(name, args)?;
    string(value)
}

/// JSON on one line. Docker leaves `<`, `>` and `&` as they are, but for the rows of its own tables.
fn compact(value: &Value) -> String {
    let text = value.to_json().to_string();
    match value {
        Value::Object(object) if matches!(object.kind, Kind::Typed(name) if name.starts_with('*')) => {
            text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
        }
        _ => text,
    }
}

fn split(from: &str, separator: &str) -> Value {
    let parts: Vec<Value> = match separator {
        // Rust would give an empty part at either end.
        "" => from.chars().map(|c| c.to_string().into()).collect(),
        _ => from.split(separator).map(Into::into).collect(),
    };
    Value::List(Rc::new(parts))
}

fn join(list: &Value, separator: &str) -> Result<Value, Call> {
    let parts = match list {
        Value::Nil | Value::Null(_) => Vec::new(),
        Value::List(items) => items.iter().map(ToString::to_string).collect(),
        Value::Object(object) => {
            let mut values: Vec<_> = object.fields.iter().map(|(_, v)| v.to_string()).collect();
            values.sort();
            values
        }
        other => return Err(Call::Failed(format!("expected slice, got {}", other.type_name()))),
    };
    Ok(parts.join(separator).into())
}

/// Each word's first letter in upper case, as Go's deprecated `strings.Title`.
fn title(from: &str) -> String {
    let mut out = String::new();
    let mut in_word = false;
    for c in from.chars() {
        match in_word {
            true => out.push(c),
            false => out.extend(c.to_uppercase()),
        }
        in_word = c.is_alphanumeric() || c == '_' || c == '\'';
    }
    out
}

fn pad(from: &str, before: i64, after: i64) -> String {
    if from.is_empty() {
        return String::new();
    }
    let spaces = |n: i64| " ".repeat(usize::try_from(n).unwrap_or(0));
    format!("{}{from}{}", spaces(before), spaces(after))
}

/// The first bytes, as Docker's; never half a character.
fn truncate(from: &str, length: i64) -> String {
    let mut end = usize::try_from(length).unwrap_or(0).min(from.len());
    while !from.is_char_boundary(end) {
        end -= 1;
    }
    from[..end].to_owned()
}

fn length(value: &Value) -> Result<Value, Call> {
    let n = match value {
        Value::String(s) => s.len(),
        Value::List(items) => items.len(),
        Value::Object(object) => object.fields.len(),
        Value::Null(text) if *text != "<nil>" => 0,
        Value::Nil | Value::Null(_) => return Err(Call::Failed("len of nil pointer".into())),
        other => return Err(Call::Failed(format!("len of type {}", other.type_name()))),
    };
    Ok(Value::Int(n as i64))
}

fn position(index: &Value, length: usize) -> Result<usize, Call> {
    match index {
        Value::Int(i) => usize::try_from(*i)
            .ok()
            .filter(|i| *i <= length)
            .ok_or_else(|| Call::Failed(format!("index out of range: {i}"))),
        Value::Nil => Err(Call::Failed("cannot index slice/array with nil".into())),
        other => Err(Call::Failed(format!("cannot index slice/array with type {}", other.type_name()))),
    }
}

fn index(args: &[Value]) -> Result<Value, Call> {
    let Some((first, indices)) = args.split_first() else {
        return Err(Call::Misused("wrong number of args for index: want at least 1 got 0".into()));
    };
    let mut value = first.clone();
    for index in indices {
        value = match &value {
            Value::Null("map[]") => "".into(),
            Value::Nil | Value::Null(_) => return Err(Call::Failed("index of untyped nil".into())),
            Value::List(items) => {
                let i = position(index, items.len())?;
                items.get(i).cloned().ok_or_else(|| Call::Failed(format!("index out of range: {i}")))?
            }
            Value::String(s) => {
                let i = position(index, s.len())?;
                let byte = s.as_bytes().get(i).ok_or_else(|| Call::Failed(format!("index out of range: {i}")))?;
                Value::Int(i64::from(*byte))
            }
            Value::Object(object) => match index {
                // A map of strings gives the empty string for a missing key, which prints as nothing.
                Value::String(key) => object.get(key).cloned().unwrap_or_else(|| "".into()),
                other => {
                    return Err(Call::Failed(format!("value has type {}; should be string", other.type_name())));
                }
            },
            other => return Err(Call::Failed(format!("can't index item of type {}", other.type_name()))),
        };
    }
    Ok(value)
}

fn slice(args: &[Value]) -> Result<Value, Call> {
    let Some((value, bounds)) = args.split_first() else {
        return Err(Call::Misused("wrong number of args for slice: want at least 1 got 0".into()));
    };
    let length = match value {
        Value::String(s) => s.len(),
        Value::List(items) => items.len(),
        Value::Nil => return Err(Call::Failed("slice of untyped nil".into())),
        other => return Err(Call::Failed(format!("can't slice item of type {}", other.type_name()))),
    };
    let from = bounds.first().map_or(Ok(0), |b| position(b, length))?;
    let to = bounds.get(1).map_or(Ok(length), |b| position(b, length))?;
    if from > to {
        return Err(Call::Failed(format!("invalid slice index: {from} > {to}")));
    }
    Ok(match value {
        Value::List(items) => Value::List(Rc::new(items[from..to].to_vec())),
        Value::String(s) => s.get(from..to).ok_or_else(|| Call::Failed("slice cuts a character in two".into()))?.into(),
        _ => Value::Nil,
    })
}

fn same(a: &Value, b: &Value) -> Result<bool, Call> {
    match (a, b) {
        (Value::Object(_) | Value::List(_), _) | (_, Value::Object(_) | Value::List(_)) => {
            let which = if matches!(a, Value::Object(_) | Value::List(_)) { a } else { b };
            Err(Call::Failed(format!("non-comparable type {which}: {}", which.type_name())))
        }
        (Value::Nil | Value::Null(_), Value::Nil | Value::Null(_)) => Ok(true),
        (Value::Nil | Value::Null(_), _) | (_, Value::Nil | Value::Null(_)) => Ok(false),
        _ if std::mem::discriminant(a) == std::mem::discriminant(b) => Ok(a == b),
        _ => Err(Call::Failed("incompatible types for comparison".into())),
    }
}

/// `eq a b c`: a is b, or a is c.
fn equal(args: &[Value]) -> Result<Value, Call> {
    let Some((first, others)) = args.split_first() else {
        return Err(Call::Misused("wrong number of args for eq: want at least 1 got 0".into()));
    };
    if others.is_empty() {
        return Err(Call::Failed("missing argument for comparison".into()));
    }
    for other in others {
        if same(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn compare(name: &str, args: &[Value], holds: fn(Ordering) -> bool) -> Result<Value, Call> {
    let [a, b] = exactly::<2>(name, args)?;
    let ordering = match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Int(_) | Value::Float(_) | Value::String(_), Value::Int(_) | Value::Float(_) | Value::String(_)) => {
            return Err(Call::Failed("incompatible types for comparison".into()));
        }
        _ => return Err(Call::Failed("invalid type for comparison".into())),
    };
    Ok(Value::Bool(holds(ordering)))
}

fn escape_html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn escape_js(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", c as u32)),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

fn escape_url(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b' ' => out.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(b as char),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

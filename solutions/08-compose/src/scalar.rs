//! Single values: truth, numbers, bytes, time, modes, paths.

use crate::canonical::wrong;
use crate::error::{Error, Result};
use crate::schema::{Scope, Shape};
use crate::tree::{At, Value};
use std::path::{Component, Path, PathBuf};

/// The value as the shape has it.
pub(crate) fn scalar(value: Value, shape: &Shape, at: &At, scope: &Scope) -> Result<Value> {
    let invalid = |what: String| Error::at(at, &scope.key, what);
    Ok(match (shape, value) {
        (Shape::Text, Value::Text(text)) => Value::Text(text),
        (Shape::Text, _) => return Err(wrong(at, scope, "a string")),
        (Shape::Choice(of), Value::Text(text)) if of.contains(&text.as_str()) => Value::Text(text),
        (Shape::Choice(of), _) => return Err(wrong(at, scope, &format!("one of {}", of.join(", ")))),
        (Shape::Flag, Value::Bool(flag)) => Value::Bool(flag),
        (Shape::Flag, Value::Text(text)) => Value::Bool(flag(&text, at, scope)?),
        (Shape::Flag, _) => return Err(wrong(at, scope, "a boolean")),
        (Shape::Path, Value::Text(text)) => Value::Text(absolute(&text, scope)),
        (Shape::Context, Value::Text(text)) if is_remote(&text) => Value::Text(text),
        (Shape::Context, Value::Text(text)) => Value::Text(absolute(&text, scope)),
        (Shape::Path | Shape::Context, _) => return Err(wrong(at, scope, "a string")),
        (Shape::Mode, Value::Int(mode)) => Value::Text(format!("0{mode:o}")),
        (Shape::Mode, Value::Text(text)) => {
            let mode = i64::from_str_radix(&text, 8).map_err(|_| invalid(format!("invalid file mode: {text:?}")))?;
            Value::Text(format!("0{mode:o}"))
        }
        (Shape::Whole, Value::Int(number)) => Value::Int(number),
        (Shape::Real, Value::Int(number)) => Value::Int(number),
        (Shape::Real, Value::Float(number)) => real(number),
        (Shape::Span, Value::Text(text)) => {
            let nanos =
                span(&text).ok_or_else(|| invalid(format!("invalid duration: {text:?}; it is written as 1m30s")))?;
            if nanos < 0 {
                return Err(invalid(format!("invalid duration: {text:?} is less than nothing")));
            }
            Value::Text(write_span(nanos))
        }
        (Shape::Span, _) => return Err(wrong(at, scope, "a string such as 10s")),
        (_, value) => {
            let kind = if matches!(shape, Shape::Whole | Shape::Real | Shape::Mode) { "a number" } else { "a string" };
            let node = crate::tree::Node::new(at, value);
            let text = node.scalar().filter(|_| !matches!(node.value, Value::Bool(_)) || matches!(shape, Shape::Loose));
            let text = text.ok_or_else(|| wrong(at, scope, kind))?;
            match shape {
                Shape::Whole => Value::Int(text.parse().map_err(|_| wrong(at, scope, "an integer"))?),
                Shape::Real => {
                    real(text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| wrong(at, scope, kind))?)
                }
                Shape::Size => {
                    let bytes =
                        size(&text).ok_or_else(|| invalid(format!("invalid size: {text:?}; it is written as 512m")))?;
                    Value::Text(bytes.to_string())
                }
                _ => Value::Text(text),
            }
        }
    })
}

/// A whole one is written without its point, as Go does.
fn real(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { Value::Int(number as i64) } else { Value::Float(number) }
}

fn flag(text: &str, at: &At, scope: &Scope) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        "y" | "yes" | "on" => {
            tracing::warn!("{at}: {text:?} for boolean is not supported by YAML 1.2, please use `true`");
            Ok(true)
        }
        "n" | "no" | "off" => {
            tracing::warn!("{at}: {text:?} for boolean is not supported by YAML 1.2, please use `false`");
            Ok(false)
        }
        _ => Err(Error::at(at, &scope.key, format_args!("invalid boolean: {text}"))),
    }
}

/// `512m`, `1.5 GiB`, `-1`: units are of 1024, as in Docker's.
pub(crate) fn size(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..unit_at].parse().ok()?;
    let unit = text[unit_at..].strip_prefix(' ').unwrap_or(&text[unit_at..]).to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        _ if unit.matches(['b', 'i']).count() > 2 || unit.ends_with("bb") => return None,
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let bytes = number * 1024f64.powi(power);
    (bytes < i64::MAX as f64).then_some(bytes as i64)
}

/// Nanoseconds of `1w2d3h4m5.5s`; a number needs its unit.
pub(crate) fn span(text: &str) -> Option<i64> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..unit_at].parse().ok()?;
        let after = &rest[unit_at..];
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let unit = match &after[..end] {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            "d" => 86_400e9,
            "w" => 604_800e9,
            _ => return None,
        };
        nanos += number * unit;
        rest = &after[end..];
    }
    (nanos < i64::MAX as f64).then_some((sign * nanos) as i64)
}

/// As Go writes a duration: `1m30s`, `1.5s`, `300ms`, `0s`.
pub(crate) fn write_span(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let fraction = |unit: u64, name: &str| {
        let text = format!("{}.{:0width$}", nanos / unit, nanos % unit, width = unit.ilog10() as usize);
        format!("{sign}{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanos}ns"),
        1_000..1_000_000 => fraction(1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(1_000_000, "ms"),
        _ => {
            let seconds = nanos / 1_000_000_000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let rest = format!("{}.{:09}", seconds % 60, nanos % 1_000_000_000);
            let rest = rest.trim_end_matches('0').trim_end_matches('.');
            match (hours, minutes) {
                (0, 0) => format!("{sign}{rest}s"),
                (0, _) => format!("{sign}{minutes}m{rest}s"),
                _ => format!("{sign}{hours}h{minutes}m{rest}s"),
            }
        }
    }
}

/// Contexts that are no folder here (BuildKit, `frontend/dockerui/context.go`), and other services'.
fn is_remote(text: &str) -> bool {
    let starts = ["service:", "github.com/", "git@"];
    text.contains("://") || starts.iter().any(|start| text.starts_with(start))
}

/// A path as seen from the scope's folder, `~` being the user's home, without `.` and `..`.
pub(crate) fn absolute(text: &str, scope: &Scope) -> String {
    match &scope.base {
        Some(base) if !text.is_empty() => join(base, text).to_string_lossy().into_owned(),
        _ => text.to_owned(),
    }
}

/// `text` beneath `base`, put right by its words only, as Go's `filepath.Join` does.
pub(crate) fn join(base: &Path, text: &str) -> PathBuf {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let path = match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            home().map_or_else(|| text.into(), |home| home.join(rest.trim_start_matches('/')))
        }
        _ => base.join(text),
    };
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            Component::ParentDir if clean.has_root() => {}
            part => clean.push(part),
        }
    }
    clean
}

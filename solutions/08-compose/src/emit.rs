//! YAML as Go's library writes it, which docker compose uses: two spaces, and quotes only where they are needed.

use crate::tree::Value as Scalar;
use serde_json::Value;

/// The document.
pub(crate) fn yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut out),
        Value::Array(list) if !list.is_empty() => block(value, 0, &mut out),
        value => {
            inline(value, 0, &mut out);
            out.push('\n');
        }
    }
    out
}

/// A mapping or list, each entry on lines of its own.
fn block(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.push_str(&pad);
                out.push_str(&text(key, true, 0));
                out.push(':');
                if is_block(value) {
                    out.push('\n');
                    block(value, indent + 2, out);
                } else {
                    out.push(' ');
                    inline(value, indent + 2, out);
                    out.push('\n');
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                out.push_str(&pad);
                out.push_str("- ");
                if is_block(value) {
                    // Its first line stands where the dash is.
                    let start = out.len();
                    block(value, indent + 2, out);
                    out.replace_range(start..start + indent + 2, "");
                } else {
                    inline(value, indent + 2, out);
                    out.push('\n');
                }
            }
        }
        _ => {}
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

fn inline(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        Value::String(string) => out.push_str(&text(string, false, indent)),
        value => out.push_str(&value.to_string()),
    }
}

/// A text, in the first way of these that keeps it: plain, a block of lines, single quotes, double quotes.
fn text(text: &str, is_key: bool, indent: usize) -> String {
    let printable = text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control() && c != '\u{feff}');
    if text.contains('\n') {
        // A line that ends in a space would lose it.
        let keeps = printable && !text.contains(" \n") && !text.ends_with(' ') && text.chars().any(|c| c != '\n');
        return if keeps && !is_key { lines(text, indent) } else { double(text) };
    }
    if !is_text(text) {
        return double(text);
    }
    if plain(text) && printable && !text.contains('\t') {
        return text.to_owned();
    }
    match printable && !text.contains('\t') {
        true => format!("'{}'", text.replace('\'', "''")),
        false => double(text),
    }
}

/// Whether a reader, of this YAML or the one before, would take it for text.
fn is_text(text: &str) -> bool {
    let old_bool = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    let is_text = matches!(crate::yaml::resolve(text), Scalar::Text(_));
    is_text && text != "<<" && !old_bool.contains(&text) && !is_sexagesimal(text) && !is_date(text)
}

/// `22:22` was a number to the base of 60 once.
fn is_sexagesimal(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first = parts.next().is_some_and(|part| {
        part.starts_with(|c: char| c.is_ascii_digit()) && part.chars().all(|c| c.is_ascii_digit() || c == '_')
    });
    let rest: Vec<&str> = parts.collect();
    let sixty = |part: &&str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    first && !rest.is_empty() && rest.iter().all(sixty) && fraction.chars().all(|c| c.is_ascii_digit() || c == '_')
}

/// `2026-11-22`, and what begins so.
fn is_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let digits = |part: &str, n: &[usize]| n.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts[..], [y, m, d] if digits(y, &[4]) && digits(m, &[1, 2]) && digits(d, &[1, 2]))
}

/// Whether nothing in it is a sign of YAML's (libyaml's `yaml_emitter_analyze_scalar`).
fn plain(text: &str) -> bool {
    let first = text.chars().next();
    let starts = |c: char| "#,[]{}&*!|>'\"%@`".contains(c);
    let alone = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    if first.is_none_or(starts)
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text.starts_with("---")
        || text.starts_with("...")
    {
        return false;
    }
    if text.starts_with(['-', '?', ':']) && alone(&text[1..]) {
        return false;
    }
    let colon = text.match_indices(':').any(|(at, _)| alone(&text[at + 1..]));
    !colon && !text.contains(" #")
}

/// `|`, and the lines beneath.
fn lines(text: &str, indent: usize) -> String {
    let hint = if text.starts_with([' ', '\n']) { "2" } else { "" };
    let chomp = match (text.ends_with('\n'), text.ends_with("\n\n")) {
        (false, _) => "-",
        (true, true) => "+",
        (true, false) => "",
    };
    let pad = " ".repeat(indent);
    let mut out = format!("|{hint}{chomp}");
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
    }
    out
}

fn double(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c if c.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

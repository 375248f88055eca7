//! What is printed: tables, `--format` templates, and the small spellings that Docker's output has made familiar.

pub mod json;
pub mod natural;
pub mod ports;
mod rows;
pub mod template;
pub mod units;

pub use rows::{Format, Row, Rows, align_by, align_from};

/// The first twelve digits of an ID, without its algorithm.
pub fn short_id(id: &str) -> &str {
    let digits = id.split_once(':').map_or(id, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

/// At most so many columns, the last of them `…` when something was cut.
pub fn ellipsis(text: &str, columns: usize) -> String {
    if columns == 0 || text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns - 1).chain(['…']).collect()
}

/// A Go string literal, as `strconv.Quote` writes it.
pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_commands_are_cut() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_id("short"), "short");
        assert_eq!(ellipsis("sh -c 'while true; do date; done'", 20), "sh -c 'while true; …");
        assert_eq!(quote("sh -c \"a\n\""), r#""sh -c \"a\n\"""#);
    }
}

//! One line of CSV (RFC 4180): a field that has a comma is put in quotes, whole: `type=bind,"source=a,b"`.

/// Where it is wrong, to the end of the line, and why.
type Wrong<'a> = (&'a str, &'static str);

const BARE: &str = "bare \" in non-quoted field";
const QUOTE: &str = "extraneous or missing \" in quoted-field";

/// The fields of a line.
///
/// # Errors
/// Quotes that do not fit, in the words of Go's encoding/csv.
pub(super) fn fields(line: &str) -> Result<Vec<String>, String> {
    if line.is_empty() {
        return Err("EOF".to_owned());
    }
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let field = if rest.starts_with('"') { quoted(rest) } else { plain(rest) };
        let (field, after) = field
            .map_err(|(wrong, why)| format!("parse error on line 1, column {}: {why}", line.len() - wrong.len() + 1))?;
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

fn plain(rest: &str) -> Result<(String, &str), Wrong<'_>> {
    let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
    match field.find('"') {
        Some(at) => Err((&rest[at..], BARE)),
        None => Ok((field.to_owned(), after)),
    }
}

/// A quote within is written twice.
fn quoted(rest: &str) -> Result<(String, &str), Wrong<'_>> {
    let mut field = String::new();
    let mut rest = &rest[1..];
    loop {
        let end = rest.find('"').ok_or((rest, QUOTE))?;
        field.push_str(&rest[..end]);
        let after = &rest[end + 1..];
        match after.chars().next() {
            None | Some(',') => return Ok((field, after)),
            Some('"') => field.push('"'),
            Some(_) => return Err((&rest[end..], QUOTE)),
        }
        rest = &after[1..];
    }
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn a_field_in_quotes_may_have_commas_and_quotes() {
        assert_eq!(fields("a=b,,\"c,d\",\"e \"\"f\"\"\"").unwrap(), ["a=b", "", "c,d", "e \"f\""]);
        assert_eq!(fields("a,").unwrap(), ["a", ""]);
        assert_eq!(fields("").unwrap_err(), "EOF");
        assert_eq!(fields("a,b\"c").unwrap_err(), "parse error on line 1, column 4: bare \" in non-quoted field");
    }
}

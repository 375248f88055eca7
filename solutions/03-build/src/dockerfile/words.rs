//! How a line falls into pieces: the instruction's name, its flags, and words.
//!
//! Quotes and escapes stay in what is cut here: they are taken away by [`crate::expand`], when the variables are known.

/// What separates an instruction from its arguments, and these from each other.
const BLANKS: [char; 5] = ['\t', '\u{b}', '\u{c}', '\r', ' '];

/// The name of the instruction, and the rest of the line.
pub(crate) fn keyword(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (keyword, rest) = line.split_once(BLANKS).unwrap_or((line, ""));
    (keyword, rest.trim_start_matches(BLANKS))
}

/// The `--flags` at the beginning, without their quotes, and the rest. `--` ends them.
pub(crate) fn flags(line: &str, escape: char) -> (Vec<String>, String) {
    let mut flags = Vec::new();
    let mut rest = line.trim_start();
    while rest.starts_with("--") {
        let (flag, after) = flag(rest, escape);
        rest = after.trim_start();
        if flag == "--" {
            break;
        }
        flags.push(flag);
    }
    (flags, rest.trim().to_owned())
}

/// One flag up to the next blank outside of quotes.
fn flag(line: &str, escape: char) -> (String, &str) {
    let mut flag = String::new();
    let mut quote = None;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            c if quote.is_none() && c.is_whitespace() => return (flag, &line[at..]),
            c if c == escape => flag.extend(chars.next().map(|(_, c)| c)),
            c => flag.push(c),
        }
    }
    (flag, "")
}

/// Cuts a line into words at blanks that are neither quoted nor escaped. Quotes and escapes stay in the words; `escape` is a
/// backslash, or what a Dockerfile says.
pub(crate) fn split(line: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            c if quote.is_none() && c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            '\'' | '"' if quote.is_none() => quote = Some(c),
            c if quote == Some(c) => quote = None,
            // Nothing is escaped within single quotes. At the very end an escape has nothing to escape, and goes.
            c if c == escape && quote != Some('\'') => {
                if let Some(next) = chars.next() {
                    word.extend([c, next]);
                }
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Cuts at blanks, whatever is quoted.
pub(crate) fn at_blanks(text: &str) -> Vec<String> {
    text.split(BLANKS).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
    /// `NAME value`, from before there was a `=`: the rest of the line is the value.
    pub(crate) legacy: bool,
}

/// `NAME=value NAME=value`, or `NAME value`: the first word tells which.
pub(crate) fn pairs(instruction: &str, text: &str, escape: char) -> Result<Vec<Pair>, String> {
    let words = split(text, escape);
    if words.first().is_some_and(|word| !word.contains('=')) {
        let Some((name, value)) = text.split_once(BLANKS) else {
            return Err(format!("{instruction} must have two arguments"));
        };
        let value = value.trim_start_matches(BLANKS).to_owned();
        return Ok(vec![Pair { name: name.to_owned(), value, legacy: true }]);
    }
    let pair = |word: &String| match word.split_once('=') {
        Some((name, value)) => Ok(Pair { name: name.to_owned(), value: value.to_owned(), legacy: false }),
        None => Err(format!("Syntax error - can't find = in {word:?}. Must be of the form: name=value")),
    };
    words.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_blanks_outside_of_quotes() {
        assert_eq!(split(r#" a "b c"  d\ e 'f "g' h="#, '\\'), [r"a", r#""b c""#, r"d\ e", r#"'f "g'"#, "h="]);
        assert_eq!(split(r"a` b\ 'c` d' e`", '`'), ["a` b\\", "'c` d'", "e"]);
        assert_eq!(split("  ", '\\'), Vec::<String>::new());
    }
}

//! How a line of a Dockerfile falls into words, and what `$NAME` and quotes in a word become.
//!
//! Two passes, as in Docker: [`split`] cuts at blanks outside of quotes and keeps the quotes; [`expand`] then takes the
//! quotes and backslashes away and puts values in the place of variables (not within single quotes).

use crate::error::{Error, Result};

/// Cuts a line into words at blanks that are neither quoted nor escaped. Quotes and escapes stay in the words; `escape` is a
/// backslash, or what a Dockerfile says.
pub fn split(line: &str, escape: char) -> Vec<String> {
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

/// Takes quotes and backslashes away, and replaces `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}` and
/// `${NAME:?word}` (without the colon: an empty value counts as set) by the values in `env` (`NAME=value`, the last
/// wins).
///
/// # Errors
/// [`Error::Instruction`]: a quote or brace is not closed, or `${NAME:?word}` is not set.
pub(crate) fn expand(word: &str, env: &[String]) -> Result<String> {
    let mut lexer = Lexer { rest: word.chars().peekable(), env, word };
    lexer.until(None)
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    env: &'a [String],
    word: &'a str,
}

impl Lexer<'_> {
    /// Everything up to `end`, or to the end of the word.
    fn until(&mut self, end: Option<char>) -> Result<String> {
        let mut out = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                c if Some(c) == end => return Ok(out),
                '\'' => out.push_str(&self.single_quoted()?),
                '"' => out.push_str(&self.double_quoted()?),
                '$' => out.push_str(&self.variable()?),
                '\\' => out.extend(self.rest.next()),
                c => out.push(c),
            }
        }
        match end {
            None => Ok(out),
            Some(end) => Err(self.error(&format!("missing {end:?}"))),
        }
    }

    fn single_quoted(&mut self) -> Result<String> {
        let mut out = String::new();
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(out),
                Some(c) => out.push(c),
                None => return Err(self.error("unexpected end of statement while looking for matching single-quote")),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<String> {
        let mut out = String::new();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(out),
                Some('$') => out.push_str(&self.variable()?),
                // Within double quotes a backslash is special only before these three.
                Some('\\') => match self.rest.next_if(|c| matches!(c, '"' | '$' | '\\')) {
                    Some(c) => out.push(c),
                    None => out.push('\\'),
                },
                Some(c) => out.push(c),
                None => return Err(self.error("unexpected end of statement while looking for matching double-quote")),
            }
        }
    }

    fn variable(&mut self) -> Result<String> {
        if self.rest.next_if_eq(&'{').is_none() {
            let name = self.name();
            // A lone dollar is a dollar.
            return Ok(if name.is_empty() { "$".to_owned() } else { self.value(&name).unwrap_or_default().to_owned() });
        }
        let name = self.name();
        if name.is_empty() {
            return Err(self.error("bad substitution"));
        }
        let value = self.value(&name).map(str::to_owned);
        let colon = self.rest.next_if_eq(&':').is_some();
        let set = value.clone().filter(|v| !(colon && v.is_empty()));
        match self.rest.next() {
            Some('}') if !colon => Ok(value.unwrap_or_default()),
            Some('-') => self.until(Some('}')).map(|word| set.unwrap_or(word)),
            Some('+') => self.until(Some('}')).map(|word| set.map_or_else(String::new, |_| word)),
            Some('?') => {
                let word = self.until(Some('}'))?;
                let why = if word.is_empty() { "is not allowed to be unset" } else { &word };
                set.ok_or_else(|| self.error(&format!("{name}: {why}")))
            }
            other => Err(self.error(&format!("unsupported modifier ({}) in substitution", other.unwrap_or(' ')))),
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            // `$1x` is the variable 1, then an x.
            let positional = name.is_empty() && c.is_ascii_digit();
            name.push(c);
            if positional {
                break;
            }
        }
        name
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
    }

    fn error(&self, why: &str) -> Error {
        Error::Instruction(format!("failed to process {:?}: {why}", self.word))
    }
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

    #[test]
    fn quotes_go_and_variables_come() {
        let env = ["A=1".to_owned(), "EMPTY=".to_owned(), "A=2".to_owned()];
        for (word, is) in [
            ("$A", "2"),
            ("${A}b", "2b"),
            ("$Ab", ""),
            (r"\$A", "$A"),
            ("'$A'", "$A"),
            (r#""$A\"\n""#, r#"2"\n"#),
            (r"a\nb", "anb"),
            ("${X:-x}${X-y}${EMPTY:-e}${EMPTY-f}", "xye"),
            ("${A:+a}${X:+x}${EMPTY:+e}${EMPTY+f}", "af"),
            ("${X:-${A}}", "2"),
            ("${X:-'}'}", "}"),
            ("${A:?no}", "2"),
            ("$", "$"),
            ("a$ b", "a$ b"),
            ("é$A", "é2"),
        ] {
            assert_eq!(expand(word, &env).unwrap(), is, "{word}");
        }
        for bad in ["'a", "\"a", "${A", "${}", "${A:}", "${A%x}", "${X:?not set}", "${X?}"] {
            assert!(expand(bad, &env).is_err(), "{bad}");
        }
    }
}

//! One pass through a word, character by character, as a shell would go through it: POSIX, Shell Command Language, 2.2
//! "Quoting" and 2.6.2 "Parameter Expansion".

use super::substitution::{self, Operator};
use super::{Expanded, Lookup, pattern};
use crate::error::{Error, Result};
use std::iter::Peekable;
use std::str::Chars;

/// `${a:-${b:-…}}`: deeper than anybody writes, and far from the end of the stack.
const MAX_DEPTH: usize = 64;
/// Of the values that one word may take in. `ENV A=$A$A` doubles with each line: sixty of them would fill any machine.
const MAX_VALUES: usize = 16 << 20;

/// How a word is gone through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexer {
    /// `\`, or what the escape directive says.
    pub(crate) escape: char,
    pub(crate) quotes: Quotes,
    /// Escapes stay in the result.
    pub(crate) keep_escapes: bool,
    /// `$NAME` stays where it is not set.
    pub(crate) keep_unset: bool,
}

/// What becomes of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// They protect what is between them, and go.
    Remove,
    /// They protect, and stay.
    Keep,
    /// They are characters like others (the lines of a heredoc).
    Ordinary,
}

impl Lexer {
    pub(crate) fn new(escape: char) -> Self {
        Self { escape, quotes: Quotes::Remove, keep_escapes: false, keep_unset: false }
    }

    pub(crate) fn word(self, text: &str, lookup: Lookup) -> Result<Expanded> {
        self.words(text, lookup).map(|(_, expanded)| expanded)
    }

    pub(crate) fn words(self, text: &str, lookup: Lookup) -> Result<(Vec<String>, Expanded)> {
        let rest = text.chars().peekable();
        let mut scan = Scan { lexer: self, rest, lookup, found: Expanded::default(), depth: 0, taken: 0 };
        let out = scan.until(None).map_err(|why| Error::Expand { word: shortened(text), why })?;
        Ok((out.words, Expanded { text: out.text, ..scan.found }))
    }
}

/// An error names the word it is about, but not a megabyte of it.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(1000) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

struct Scan<'a> {
    lexer: Lexer,
    rest: Peekable<Chars<'a>>,
    lookup: Lookup<'a>,
    found: Expanded,
    depth: usize,
    /// Bytes of values so far.
    taken: usize,
}

impl Scan<'_> {
    /// Everything up to `end` (which is taken, too), or to the end of the word.
    fn until(&mut self, end: Option<char>) -> Result<Out, String> {
        let mut out = Out::default();
        let quotes = self.lexer.quotes != Quotes::Ordinary;
        while let Some(c) = self.rest.next() {
            match c {
                c if Some(c) == end => return Ok(out.finished()),
                '\'' if quotes => out.protected(&self.single_quoted()?),
                '"' if quotes => out.protected(&self.double_quoted()?),
                '$' => out.plain(&self.variable()?),
                '<' => out.protected(&self.angle()),
                c if c == self.lexer.escape => {
                    if self.lexer.keep_escapes {
                        out.protected(c.encode_utf8(&mut [0; 4]));
                    }
                    // An escape at the very end escapes nothing, and goes.
                    if let Some(c) = self.rest.next() {
                        out.protected(c.encode_utf8(&mut [0; 4]));
                    }
                }
                c => out.plain(c.encode_utf8(&mut [0; 4])),
            }
        }
        match end {
            None => Ok(out.finished()),
            Some(end) => Err(format!("unexpected end of statement while looking for matching {end}")),
        }
    }

    /// All characters up to the next `'` are what they are.
    fn single_quoted(&mut self) -> Result<String, String> {
        let mut out = self.kept_quote('\'');
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(out + &self.kept_quote('\'')),
                Some(c) => out.push(c),
                None => return Err("unexpected end of statement while looking for matching single-quote".to_owned()),
            }
        }
    }

    /// Variables are replaced; an escape is one only before `"`, `$` and itself.
    fn double_quoted(&mut self) -> Result<String, String> {
        let mut out = self.kept_quote('"');
        loop {
            match self.rest.next() {
                Some('"') => return Ok(out + &self.kept_quote('"')),
                Some('$') => out.push_str(&self.variable()?),
                Some(c) if c == self.lexer.escape => {
                    // In a pattern, a backslash that is none has to be escaped to stay one.
                    if self.lexer.keep_escapes {
                        out.push(c);
                    }
                    out.push(self.rest.next_if(|next| matches!(next, '"' | '$') || *next == c).unwrap_or(c));
                }
                Some(c) => out.push(c),
                None => return Err("unexpected end of statement while looking for matching double-quote".to_owned()),
            }
        }
    }

    fn kept_quote(&self, quote: char) -> String {
        if self.lexer.quotes == Quotes::Keep { quote.to_string() } else { String::new() }
    }

    /// The blanks of `<<  EOF` do not end a word: what follows is the heredoc's name.
    fn angle(&mut self) -> String {
        let mut out = "<".to_owned();
        if let Some(second) = self.rest.next_if_eq(&'<') {
            out.push(second);
            while let Some(blank) = self.rest.next_if(|c| matches!(c, '\t' | '\r' | ' ')) {
                out.push(blank);
            }
        }
        out
    }

    /// What follows a `$`.
    fn variable(&mut self) -> Result<String, String> {
        if self.rest.next_if_eq(&'{').is_some() {
            return self.braces();
        }
        let name = self.name();
        // A lone dollar is a dollar.
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        match self.value(&name)? {
            None if self.lexer.keep_unset => Ok(format!("${name}")),
            value => Ok(value.unwrap_or_default()),
        }
    }

    /// What follows a `${`.
    fn braces(&mut self) -> Result<String, String> {
        if self.depth == MAX_DEPTH {
            return Err(format!("substitutions are nested more than {MAX_DEPTH} deep"));
        }
        if matches!(self.rest.peek(), Some('{' | '}' | ':')) {
            return Err("syntax error: bad substitution".to_owned());
        }
        self.depth += 1;
        let name = self.name();
        let text = match self.rest.next() {
            None => return Err(missing('}')),
            Some('}') => match self.value(&name)? {
                None if self.lexer.keep_unset => format!("${{{name}}}"),
                value => value.unwrap_or_default(),
            },
            Some('/') => self.replacement(&name)?,
            Some(c) => self.modified(&name, c)?,
        };
        self.depth -= 1;
        Ok(text)
    }

    /// `${name:-word}`, `${name#pattern}` and their kin, after their first sign.
    fn modified(&mut self, name: &str, first: char) -> Result<String, String> {
        let colon = first == ':';
        let sign = if colon { self.rest.next().ok_or_else(|| missing('}'))? } else { first };
        let trims = matches!(sign, '#' | '%');
        let unsupported = || format!("unsupported modifier ({}{sign}) in substitution", if colon { ":" } else { "" });
        if (colon && trims) || !matches!(sign, '-' | '+' | '?' | '#' | '%') {
            return Err(unsupported());
        }
        let word = self.inner('}', trims)?;
        let value = self.value(name)?;
        if value.is_none() && self.lexer.keep_unset {
            return Ok(format!("${{{name}{}{sign}{word}}}", if colon { ":" } else { "" }));
        }
        match sign {
            '-' => substitution::apply(name, value, Operator::Default { colon }, word),
            '+' => substitution::apply(name, value, Operator::Alternative { colon }, word),
            '?' => substitution::apply(name, value, Operator::Required { colon }, word),
            '#' => pattern::without_prefix(&value.unwrap_or_default(), &word),
            _ => pattern::without_suffix(&value.unwrap_or_default(), &word),
        }
    }

    /// `${name/pattern/new}`, `${name//pattern/new}`.
    fn replacement(&mut self, name: &str) -> Result<String, String> {
        let all = self.rest.next_if_eq(&'/').is_some();
        let pattern = self.inner('/', true)?;
        let new = self.inner('}', true)?;
        match self.value(name)? {
            None if self.lexer.keep_unset => Ok(format!("${{{name}/{}{pattern}/{new}}}", if all { "/" } else { "" })),
            value => pattern::replaced(&value.unwrap_or_default(), &pattern, &new, all, MAX_VALUES),
        }
    }

    /// A part of a `${…}`, which may have variables and quotes of its own. In a pattern, escapes stay for it to read.
    fn inner(&mut self, end: char, keep_escapes: bool) -> Result<String, String> {
        let outer = std::mem::replace(&mut self.lexer.keep_escapes, keep_escapes);
        let result = self.until(Some(end));
        self.lexer.keep_escapes = outer;
        // Whatever was not closed before the end, the brace was not either.
        result.map(|out| out.text).map_err(|why| if self.rest.peek().is_none() { missing(end) } else { why })
    }

    /// Letters, digits and `_`; or one of the shell's own (`$1`, `$@`), which are never set here.
    fn name(&mut self) -> String {
        let mut name = String::new();
        if let Some(special) = self.rest.next_if(|c| "@*#?-$!".contains(*c)) {
            return special.to_string();
        }
        let positional = self.rest.peek().is_some_and(|c| c.is_numeric());
        let belongs = |c: &char| if positional { c.is_numeric() } else { c.is_alphanumeric() || *c == '_' };
        while let Some(c) = self.rest.next_if(belongs) {
            name.push(c);
        }
        name
    }

    fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let value = (self.lookup)(name);
        let names = if value.is_some() { &mut self.found.used } else { &mut self.found.unmatched };
        if !names.contains(name) {
            names.insert(name.to_owned());
        }
        self.taken += value.as_ref().map_or(0, String::len);
        if self.taken > MAX_VALUES {
            return Err(format!("the values of its variables have more than {MAX_VALUES} bytes"));
        }
        Ok(value)
    }
}

fn missing(end: char) -> String {
    if end == '/' { "syntax error: missing '/' in ${}".to_owned() } else { format!("syntax error: missing '{end}'") }
}

/// The result, both as one text and cut into words at blanks that nothing protects.
#[derive(Default)]
struct Out {
    text: String,
    words: Vec<String>,
    /// The word that is not at its end yet.
    word: String,
}

impl Out {
    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
        for c in text.chars() {
            if c.is_whitespace() { self.end_word() } else { self.word.push(c) }
        }
    }

    fn protected(&mut self, text: &str) {
        self.text.push_str(text);
        self.word.push_str(text);
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn finished(mut self) -> Self {
        self.end_word();
        self
    }
}

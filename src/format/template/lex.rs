//! Text into tokens. Outside `{{ }}` everything is text; inside, the tokens are those of Go's text/template.

use super::Error;

/// A token and where it begins, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Text(String),
    /// `{{` and `}}`.
    Open,
    Close,
    /// `.`
    Dot,
    /// `.Name`, without its dot.
    Field(String),
    /// `$name`, with its dollar.
    Variable(String),
    /// A keyword, `true`, `nil`, or a function.
    Word(String),
    /// As written.
    Number(String),
    /// As written, and its value.
    String(String, String),
    /// `'x'`: as written, and its code point.
    Character(String, char),
    Pipe,
    Comma,
    Assign,
    Declare,
    LeftParen,
    RightParen,
    /// Runs of space inside an action separate arguments.
    Space,
    End,
}

/// What is left out: `{{- ` eats the space before it, ` -}}` the space after it.
pub(super) fn lex(source: &str) -> Result<Vec<Token>, Error> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new() };
    let mut trim_next = false;
    loop {
        let open = source[lexer.at..].find("{{").map(|i| lexer.at + i);
        let text = &source[lexer.at..open.unwrap_or(source.len())];
        let trims_before = open.is_some_and(|o| {
            let after = &source.as_bytes()[o + 2..];
            after.first() == Some(&b'-') && after.get(1).is_some_and(u8::is_ascii_whitespace)
        });
        let text = if trim_next { text.trim_start_matches(is_space) } else { text };
        let text = if trims_before { text.trim_end_matches(is_space) } else { text };
        if !text.is_empty() {
            lexer.push_at(lexer.at, Kind::Text(text.to_owned()));
        }
        let Some(open) = open else {
            lexer.push_at(source.len(), Kind::End);
            return Ok(lexer.tokens);
        };
        lexer.at = open + 2 + if trims_before { 2 } else { 0 };
        trim_next = if source[lexer.at..].starts_with("/*") { lexer.comment(open)? } else { lexer.action(open)? };
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn push_at(&mut self, at: usize, kind: Kind) {
        self.tokens.push(Token { at, kind });
    }

    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::parse(self.source, self.at, message)
    }

    /// `/* … */`: nothing of it remains. Whether the closing marker trims.
    fn comment(&mut self, open: usize) -> Result<bool, Error> {
        let Some(end) = self.rest().find("*/") else {
            self.at = open;
            return Err(self.error("unclosed comment"));
        };
        self.at += end + 2;
        self.close_marker().ok_or_else(|| self.error("comment ends before closing delimiter"))
    }

    /// Steps over `}}` or ` -}}` if that is what follows; whether it trims.
    fn close_marker(&mut self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            self.at += 2;
            return Some(false);
        }
        if rest.starts_with(is_space) && rest[1..].starts_with("-}}") {
            self.at += 4;
            return Some(true);
        }
        None
    }

    /// An action's tokens, up to its end; whether the end trims.
    fn action(&mut self, open: usize) -> Result<bool, Error> {
        self.push_at(open, Kind::Open);
        let mut parentheses = 0_u32;
        loop {
            let at = self.at;
            if let Some(trims) = self.close_marker() {
                if parentheses > 0 {
                    return Err(self.error("unclosed left paren"));
                }
                self.push_at(at, Kind::Close);
                return Ok(trims);
            }
            let Some(c) = self.rest().chars().next() else { return Err(self.error("unclosed action")) };
            let kind = match c {
                c if is_space(c) => {
                    // Stop before a space that belongs to ` -}}`.
                    while self.rest().starts_with(is_space) && !self.rest()[1..].starts_with("-}}") {
                        self.at += 1;
                    }
                    Kind::Space
                }
                '=' => self.single(Kind::Assign),
                ':' if self.rest().starts_with(":=") => {
                    self.at += 2;
                    Kind::Declare
                }
                ':' => return Err(self.error("expected :=")),
                '|' => self.single(Kind::Pipe),
                ',' => self.single(Kind::Comma),
                '"' => self.quoted()?,
                '`' => self.raw()?,
                '\'' => self.character()?,
                '(' => {
                    parentheses += 1;
                    self.single(Kind::LeftParen)
                }
                ')' => {
                    parentheses = parentheses.checked_sub(1).ok_or_else(|| self.error("unexpected right paren"))?;
                    self.single(Kind::RightParen)
                }
                '$' => {
                    self.at += 1;
                    let name = self.word();
                    Kind::Variable(format!("${name}"))
                }
                '.' if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                    self.at += 1;
                    let name = self.word();
                    if name.is_empty() { Kind::Dot } else { Kind::Field(name) }
                }
                '+' | '-' | '.' | '0'..='9' => self.number()?,
                c if c.is_alphabetic() || c == '_' => Kind::Word(self.word()),
                c => return Err(self.error(format!("unrecognized character in action: U+{:04X} '{c}'", c as u32))),
            };
            self.push_at(at, kind);
        }
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn number(&mut self) -> Result<Kind, Error> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let text = rest[..end].to_owned();
        if text.chars().any(|c| c.is_ascii_digit()) {
            self.at += end;
            return Ok(Kind::Number(text));
        }
        Err(self.error(format!("bad number syntax: {text:?}")))
    }

    fn raw(&mut self) -> Result<Kind, Error> {
        let Some(end) = self.rest()[1..].find('`') else { return Err(self.error("unterminated raw quoted string")) };
        let written = self.rest()[..end + 2].to_owned();
        self.at += written.len();
        let value = written[1..written.len() - 1].to_owned();
        Ok(Kind::String(written, value))
    }

    fn quoted(&mut self) -> Result<Kind, Error> {
        let written = self.delimited('"').ok_or_else(|| self.error("unterminated quoted string"))?;
        let value = unescape(&written[1..written.len() - 1]).ok_or_else(|| self.error("invalid syntax"))?;
        Ok(Kind::String(written, value))
    }

    fn character(&mut self) -> Result<Kind, Error> {
        let written = self.delimited('\'').ok_or_else(|| self.error("unterminated character constant"))?;
        let value = unescape(&written[1..written.len() - 1]).unwrap_or_default();
        let mut chars = value.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Kind::Character(written, c)),
            _ => Err(self.error(format!("malformed character constant: {written}"))),
        }
    }

    /// Up to the same quote again, minding backslashes; not across lines.
    fn delimited(&mut self, quote: char) -> Option<String> {
        let mut escaped = false;
        for (i, c) in self.rest().char_indices().skip(1) {
            match c {
                '\n' => return None,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    let written = self.rest()[..=i].to_owned();
                    self.at += written.len();
                    return Some(written);
                }
                _ => {}
            }
        }
        None
    }
}

/// The escapes of a Go string literal.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            c @ ('\\' | '"' | '\'') => c,
            'x' => hexadecimal(&mut chars, 2)?,
            'u' => hexadecimal(&mut chars, 4)?,
            'U' => hexadecimal(&mut chars, 8)?,
            _ => return None,
        });
    }
    Some(out)
}

fn hexadecimal(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let code: String = chars.take(digits).collect();
    (code.len() == digits).then_some(())?;
    char::from_u32(u32::from_str_radix(&code, 16).ok()?)
}

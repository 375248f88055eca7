//! Patterns with wildcards: those of `.dockerignore`, and, without `**`, those of `COPY *.txt`.
//!
//! The syntax is that of Go's `filepath.Match`, for Docker's users know it: `*` is any characters but `/`, `?` is one of
//! them, `[a-z]` one of a class, `\` takes the meaning away from what follows. `.dockerignore` adds `**`: any
//! characters at all.
//!
//! A pattern is matched by following all ways through it at once, one step for each character of the path: however
//! many stars somebody writes, the time is the product of the two lengths and never more.

/// What a pattern is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// This character.
    Is(u32),
    /// One character that is no `/`.
    One,
    /// One of a class; or, negated, none of it.
    Class { negated: bool, ranges: Vec<(u32, u32)> },
    /// Any number of characters that are no `/`.
    Star,
    /// Any number of any characters.
    Anything,
    /// What follows, and this many tokens of it may be left out.
    Optional(usize),
}

/// A pattern, ready to be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Shape);

/// Most patterns are plain names: those are compared and not interpreted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Exactly(Vec<u8>),
    StartsWith(Vec<u8>),
    EndsWith(Vec<u8>),
    Tokens(Vec<Token>),
}

/// `syntax error in pattern`: a class that is empty or does not end, or a `\` with nothing after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPattern;

impl Pattern {
    /// A pattern in which `**` means no more than `*`: Go's `filepath.Match`.
    pub(crate) fn wildcard(pattern: &[u8]) -> Result<Self, BadPattern> {
        let mut rest = Characters::new(pattern);
        let mut tokens = Vec::new();
        while let Some(character) = rest.next() {
            tokens.push(token(character, &mut rest)?);
        }
        Ok(Self(Shape::Tokens(tokens)))
    }

    /// A pattern of `.dockerignore`, cleaned.
    pub(crate) fn deep(pattern: &[u8]) -> Result<Self, BadPattern> {
        // What Docker checks beforehand.
        let Self(Shape::Tokens(plain)) = Self::wildcard(pattern)? else { return Err(BadPattern) };
        let literal =
            |part: &[u8]| Characters::new(part).all(|c| !matches!(to_char(c), Some('*' | '?' | '[' | ']' | '\\')));
        if plain.iter().all(|token| matches!(token, Token::Is(_))) && literal(pattern) {
            return Ok(Self(Shape::Exactly(pattern.to_vec())));
        }
        if let Some(start) = pattern.strip_suffix(b"**").filter(|start| !start.is_empty() && literal(start)) {
            return Ok(Self(Shape::StartsWith(start.to_vec())));
        }
        if let Some(end) = pattern.strip_prefix(b"**").filter(|end| literal(end)) {
            return Ok(Self(Shape::EndsWith(end.to_vec())));
        }
        deep_tokens(pattern).map(|tokens| Self(Shape::Tokens(tokens)))
    }

    /// Whether it matches all of a path: one that is neither absolute nor ends with a slash.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        match &self.0 {
            Shape::Exactly(name) => path == name,
            Shape::StartsWith(start) => path.starts_with(start),
            // `**/x` is also an `x` that is in no folder.
            Shape::EndsWith(end) => path.ends_with(end) || end.strip_prefix(b"/") == Some(path),
            Shape::Tokens(tokens) => run(tokens, path),
        }
    }

    /// Whether it could match something in this folder, at any depth. It may say yes where the answer is no.
    pub(crate) fn may_match_in(&self, folder: &[u8]) -> bool {
        let start = match &self.0 {
            Shape::Exactly(name) => return name.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/')),
            Shape::StartsWith(start) => start.clone(),
            Shape::EndsWith(_) => Vec::new(),
            Shape::Tokens(tokens) => fixed_start(tokens),
        };
        let inside = [folder, b"/"].concat();
        inside.starts_with(&start) || start.starts_with(&inside)
    }
}

/// What every path that matches begins with.
fn fixed_start(tokens: &[Token]) -> Vec<u8> {
    let characters = tokens.iter().map_while(|token| match token {
        Token::Is(character) => to_char(*character),
        _ => None,
    });
    characters.collect::<String>().into_bytes()
}

fn deep_tokens(pattern: &[u8]) -> Result<Vec<Token>, BadPattern> {
    let (star, slash) = (u32::from('*'), u32::from('/'));
    let mut rest = Characters::new(pattern);
    let mut tokens = Vec::new();
    while let Some(character) = rest.next() {
        if character != star || rest.peek() != Some(star) {
            tokens.push(token(character, &mut rest)?);
            continue;
        }
        rest.next();
        if rest.peek() == Some(slash) {
            rest.next();
        }
        match rest.peek() {
            None => tokens.push(Token::Anything),
            // Any folders, or none.
            Some(_) => tokens.extend([Token::Optional(2), Token::Anything, Token::Is(slash)]),
        }
    }
    Ok(tokens)
}

fn token(character: u32, rest: &mut Characters<'_>) -> Result<Token, BadPattern> {
    match to_char(character) {
        Some('*') => Ok(Token::Star),
        Some('?') => Ok(Token::One),
        Some('[') => class(rest),
        Some('\\') => rest.next().map(Token::Is).ok_or(BadPattern),
        _ => Ok(Token::Is(character)),
    }
}

/// What follows a `[`.
fn class(rest: &mut Characters<'_>) -> Result<Token, BadPattern> {
    let negated = rest.peek() == Some(u32::from('^'));
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && rest.peek() == Some(u32::from(']')) {
            rest.next();
            return Ok(Token::Class { negated, ranges });
        }
        let low = class_character(rest)?;
        let mut high = low;
        if rest.peek() == Some(u32::from('-')) {
            rest.next();
            high = class_character(rest)?;
        }
        ranges.push((low, high));
    }
}

fn class_character(rest: &mut Characters<'_>) -> Result<u32, BadPattern> {
    let character = rest.next().ok_or(BadPattern)?;
    match to_char(character) {
        Some('-' | ']') => Err(BadPattern),
        Some('\\') => rest.next().ok_or(BadPattern),
        _ => Ok(character),
    }
}

/// Follows all ways through the tokens at once: `at[n]` says that one of them has come to token `n`.
fn run(tokens: &[Token], path: &[u8]) -> bool {
    let mut at = vec![false; tokens.len() + 1];
    let mut next = at.clone();
    at[0] = true;
    go_on(tokens, &mut at);
    for character in Characters::new(path) {
        next.fill(false);
        for (place, token) in tokens.iter().enumerate() {
            if at[place] && token.accepts(character) {
                let stays = matches!(token, Token::Star | Token::Anything);
                next[if stays { place } else { place + 1 }] = true;
            }
        }
        go_on(tokens, &mut next);
        std::mem::swap(&mut at, &mut next);
    }
    at[tokens.len()]
}

/// Marks what is reached from the marked places without a character. That is always further on, so one pass finds all.
fn go_on(tokens: &[Token], at: &mut [bool]) {
    for (place, token) in tokens.iter().enumerate() {
        if at[place] && token.may_be_nothing() {
            at[place + 1] = true;
            if let Token::Optional(count) = token {
                at[place + 1 + count] = true;
            }
        }
    }
}

impl Token {
    fn accepts(&self, character: u32) -> bool {
        match self {
            Self::Is(own) => character == *own,
            Self::One | Self::Star => character != u32::from('/'),
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (low..=high).contains(&&character)) != *negated
            }
            Self::Anything => true,
            Self::Optional(_) => false,
        }
    }

    fn may_be_nothing(&self) -> bool {
        matches!(self, Self::Star | Self::Anything | Self::Optional(_))
    }
}

/// The characters of a name. A byte that is no UTF-8 is one as well, beyond all that Unicode has.
struct Characters<'a> {
    rest: &'a [u8],
}

impl<'a> Characters<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn peek(&self) -> Option<u32> {
        Characters { rest: self.rest }.next()
    }
}

impl Iterator for Characters<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let first = *self.rest.first()?;
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let character = self.rest.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()?.chars().next());
        let used = character.map_or(1, char::len_utf8);
        self.rest = &self.rest[used..];
        Some(character.map_or(u32::from(char::MAX) + 1 + u32::from(first), u32::from))
    }
}

fn to_char(character: u32) -> Option<char> {
    char::from_u32(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(pattern: &str, path: &str) -> bool {
        Pattern::deep(pattern.as_bytes()).unwrap().matches(path.as_bytes())
    }

    fn wildcard(pattern: &str, path: &str) -> bool {
        Pattern::wildcard(pattern.as_bytes()).unwrap().matches(path.as_bytes())
    }

    #[test]
    fn stars_and_classes() {
        for (pattern, path) in [
            ("a", "a"),
            ("*", "abc"),
            ("*", ""),
            ("a*c", "abbc"),
            ("a?c", "aéc"),
            ("[a-c]x", "bx"),
            ("[^a-c]x", "dx"),
            ("[^a]", "/"),
            (r"[\]]", "]"),
            (r"\*", "*"),
            ("a**c", "abc"),
            ("*/*", "a/b"),
            ("", ""),
        ] {
            assert!(wildcard(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("*", "a/b"), ("a?c", "a/c"), ("[^a-c]x", "ax"), ("a", "A"), ("a**c", "a/c"), ("**", "a/b"), ("?", "")]
        {
            assert!(!wildcard(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn two_stars_are_any_folders() {
        for (pattern, path) in [
            ("**", "a/b"),
            ("**/foo", "foo"),
            ("**/foo", "a/b/foo"),
            // Docker's, too: nothing stands between the stars and the name.
            ("**foo", "barfoo"),
            ("foo**", "foobar/baz"),
            ("foo/**", "foo/bar"),
            ("a/**/b", "a/b"),
            ("a/**/b", "a/x/y/b"),
            ("**/*.go", "x.go"),
            ("**/*.go", "a/b/x.go"),
            ("**/a/**", "x/a/y"),
            ("*/**", "a/b/c"),
            ("a**/b", "a/b"),
            ("a**b", "ac/b"),
        ] {
            assert!(deep(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("**/foo", "barfoo"),
            ("foo/**", "foo"),
            ("a/**/b", "a/xb"),
            ("**/*.go", "a.go/b"),
            ("**/a/**", "a"),
            ("a**b", "acb"),
            ("*", "a/b"),
        ] {
            assert!(!deep(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_a_character_too() {
        assert!(Pattern::deep(b"a?b*").unwrap().matches(b"a\xffb\xfe\xfd"));
        assert!(Pattern::deep(b"\xff").unwrap().matches(b"\xff"));
        assert!(!Pattern::deep(b"\xff*").unwrap().matches(b"\xfe"));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for pattern in ["[", "a[", "[]a]", "[-]", "[a", "[a-", r"a\", "[^]"] {
            assert_eq!(Pattern::wildcard(pattern.as_bytes()), Err(BadPattern), "{pattern}");
            assert_eq!(Pattern::deep(pattern.as_bytes()), Err(BadPattern), "{pattern}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_and_no_stack() {
        let pattern = "*a".repeat(200) + "**/".repeat(200).as_str() + "b";
        let start = std::time::Instant::now();
        assert!(!deep(&pattern, &"a".repeat(2000)));
        assert!(start.elapsed().as_secs() < 5);
        assert!(!deep(&("*".repeat(1_000_000) + "b"), "a") && !deep(&("**/".repeat(300_000) + "b"), "a"));
    }

    #[test]
    fn a_folder_need_not_be_entered_for_what_cannot_be_in_it() {
        let may =
            |pattern: &str, folder: &str| Pattern::deep(pattern.as_bytes()).unwrap().may_match_in(folder.as_bytes());
        assert!(may("a/b/c", "a") && may("a/b/c", "a/b") && may("a/*/c", "a/b") && may("**/x", "a") && may("a*", "ab"));
        assert!(may("a/b**", "a/bc") && may("a/b**", "a"));
        assert!(!may("a/b", "b") && !may("a", "a") && !may("ab/c", "a") && !may("a/x*", "a/b") && !may("a/b**", "a/c"));
    }
}

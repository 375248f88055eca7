//! What a registry says to who is not known yet: `401 Unauthorized`, and in `WWW-Authenticate` how to be known.

use std::collections::BTreeMap;

/// A challenge: a scheme and its parameters (RFC 9110, section 11).
///
/// ```text
/// WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"
/// ```
///
/// says: go to this address, ask for a token to pull `a/b`, and come back with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case: `bearer`, `basic`.
    pub scheme: String,
    /// The names are in lower case, the values as they came, without their quotes.
    pub parameters: BTreeMap<String, String>,
}

impl Challenge {
    /// A parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// Parses the value of a `WWW-Authenticate` header into the challenges it holds: a registry may offer several, one
/// after the other.
///
/// A challenge is a scheme, a space, and parameters with commas between them; a comma also stands before the next
/// challenge, which is told from a parameter by the `=` that does not follow its first word:
///
/// ```text
/// Basic realm="a, b", Bearer realm="https://auth/token",service=x
/// ```
///
/// Scheme and names are words, in any case; here they are in lower case. A value is a word, too, or stands in quotes. `split_word` and
/// `split_value`, below, take one from the beginning of a text, and give back what follows.
///
/// What cannot be understood ends the list, and what was understood until then stays: no challenge is made up.
#[must_use]
pub fn parse(header: &str) -> Vec<Challenge> {
    // exercise: 6.2 parse: word by word; is there an `=` behind it?
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',', '\t']);
    while !rest.is_empty() {
        let (word, after) = split_word(rest);
        if word.is_empty() {
            break;
        }
        match (after.trim_start().strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some(challenge)) => {
                let Some((value, after)) = split_value(value.trim_start()) else { break };
                challenge.parameters.insert(word.to_ascii_lowercase(), value);
                rest = after;
            }
            (Some(_), None) => break,
            (None, _) => {
                challenges.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: BTreeMap::new() });
                rest = after;
            }
        }
        rest = rest.trim_start_matches([' ', ',', '\t']);
    }
    challenges
    // end exercise
}

/// The word that a text begins with, and what follows.
fn split_word(text: &str) -> (&str, &str) {
    text.split_at(text.find([' ', '\t', '=', ',', '"']).unwrap_or(text.len()))
}

/// The value that a text begins with, without its quotes, and what follows. Within quotes a comma is only a comma, and a
/// backslash takes the next character as it is. None if they are not closed.
fn split_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, after) = split_word(text);
        return Some((word.to_owned(), after));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

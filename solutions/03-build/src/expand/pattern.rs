//! Patterns in `${NAME#pattern}`, `${NAME%pattern}` and `${NAME/pattern/new}`: `?` is any character, `*` any number of
//! them, a backslash takes their meaning away. (POSIX, Shell Command Language, 2.13, without brackets.)

/// Work that a pattern may be on a value: pieces of the one times characters of the other.
const MAX_WORK: usize = 1 << 28;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
}

/// The value without the shortest prefix that matches; with the longest, if the pattern begins with another `#`.
pub(super) fn without_prefix(value: &str, pattern: &str) -> Result<String, String> {
    let (pattern, longest) = doubled(pattern, '#');
    let chars: Vec<char> = value.chars().collect();
    let end = ends(&parse(pattern)?, &chars, longest)?[0].unwrap_or(0);
    Ok(chars[end..].iter().collect())
}

/// The value without the shortest suffix that matches; with the longest, if the pattern begins with another `%`.
pub(super) fn without_suffix(value: &str, pattern: &str) -> Result<String, String> {
    let (pattern, longest) = doubled(pattern, '%');
    // Read backwards, a suffix is a prefix.
    let mut pieces = parse(pattern)?;
    pieces.reverse();
    let chars: Vec<char> = value.chars().rev().collect();
    let end = ends(&pieces, &chars, longest)?[0].unwrap_or(0);
    Ok(chars[end..].iter().rev().collect())
}

/// The value with `new` in the place of what matches: the first of the longest matches, or all of them one after the
/// other. The result has at most `limit` bytes.
pub(super) fn replaced(value: &str, pattern: &str, new: &str, all: bool, limit: usize) -> Result<String, String> {
    let chars: Vec<char> = value.chars().collect();
    let ends = ends(&parse(pattern)?, &chars, true)?;
    let mut out = String::new();
    let mut at = 0;
    // Where the match before ended: an empty one cannot begin there.
    let mut before = None;
    let mut again = true;
    while at <= chars.len() {
        match ends[at] {
            Some(end) if again && (end > at || before != Some(at)) => {
                out.push_str(new);
                (before, again) = (Some(end), all);
                if end > at {
                    at = end;
                    continue;
                }
            }
            _ => {}
        }
        out.extend(chars.get(at));
        at += 1;
        if out.len() > limit {
            return Err(format!("the value would have more than {limit} bytes"));
        }
    }
    Ok(out)
}

fn doubled(pattern: &str, sign: char) -> (&str, bool) {
    pattern.strip_prefix(sign).map_or((pattern, false), |pattern| (pattern, true))
}

fn parse(pattern: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => match chars.next() {
                // `}` and `/` are escaped for the braces around the pattern.
                Some(c @ ('*' | '?' | '\\' | '}' | '/')) => Piece::Char(c),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!("invalid pattern ({pattern}) in substitution: invalid escape '\\{other}'"));
                }
            },
            c => Piece::Char(c),
        });
    }
    Ok(pieces)
}

/// For each place in the value (and the end of it), where the shortest or longest match from there on ends.
///
/// From the last piece to the first: a piece matches here if it is this character, and the pieces after it match from the
/// next one on. A row for each piece, of which only the one before is needed.
fn ends(pieces: &[Piece], chars: &[char], longest: bool) -> Result<Vec<Option<usize>>, String> {
    if pieces.len().saturating_mul(chars.len()) > MAX_WORK {
        return Err("its pattern is too long for its value".to_owned());
    }
    let better = |a: Option<usize>, b: Option<usize>| match (a, b) {
        (Some(a), Some(b)) => Some(if longest { a.max(b) } else { a.min(b) }),
        (a, b) => a.or(b),
    };
    let mut after: Vec<Option<usize>> = (0..=chars.len()).map(Some).collect();
    for piece in pieces.iter().rev() {
        let mut here = vec![None; chars.len() + 1];
        here[chars.len()] = if *piece == Piece::Any { after[chars.len()] } else { None };
        for (i, c) in chars.iter().enumerate().rev() {
            here[i] = match piece {
                Piece::Char(wanted) => after[i + 1].filter(|_| wanted == c),
                // A wildcard does not go beyond its line.
                Piece::One => after[i + 1].filter(|_| *c != '\n'),
                Piece::Any => better(after[i], here[i + 1].filter(|_| *c != '\n')),
            };
        }
        after = here;
    }
    Ok(after)
}

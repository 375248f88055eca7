//! `${NAME:-word}`, `${NAME:+word}`, `${NAME:?word}`: what is said depends on whether the variable is set.

/// With a colon, an empty value counts as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `-`
    Default { colon: bool },
    /// `+`
    Alternative { colon: bool },
    /// `?`
    Required { colon: bool },
}

/// What `${NAME<operator>word}` becomes. `value` is the variable's; None: it is not set.
///
/// `-` gives the value, or the word where there is none; `+` the word where there is a value, or nothing; `?` the value, or
/// the error `NAME: word`, or if the word is empty, `NAME: is not allowed to be unset` (`… to be empty` where it is set).
/// With a colon, an empty value counts as none.
///
/// # Errors
/// That of `?`.
pub(super) fn apply(name: &str, value: Option<String>, operator: Operator, word: String) -> Result<String, String> {
    let set = value.is_some();
    let something = |colon: bool| value.filter(|value| !(colon && value.is_empty()));
    match operator {
        Operator::Default { colon } => Ok(something(colon).unwrap_or(word)),
        Operator::Alternative { colon } => Ok(something(colon).map_or_else(String::new, |_| word)),
        Operator::Required { colon } => something(colon).ok_or_else(|| match word.as_str() {
            "" if set => format!("{name}: is not allowed to be empty"),
            "" => format!("{name}: is not allowed to be unset"),
            why => format!("{name}: {why}"),
        }),
    }
}

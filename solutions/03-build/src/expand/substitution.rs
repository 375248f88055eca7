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
/// * `${NAME-word}` ([`Operator::Default`]): the value; the word where there is none.
/// * `${NAME+word}` ([`Operator::Alternative`]): the word where there is a value (not the value itself); else nothing.
/// * `${NAME?word}` ([`Operator::Required`]): the value; where there is none, the error `NAME: word`. If the word is empty, the
///   error is `NAME: is not allowed to be unset`, or, of a variable that is set to nothing, `NAME: is not allowed to be empty`.
///
/// With a colon (`:-`, `:+`, `:?`), a value that is empty counts as none.
///
/// # Errors
/// That of `?`.
pub(super) fn apply(name: &str, value: Option<String>, operator: Operator, word: String) -> Result<String, String> {
    // exercise: 3.3 apply: what is said where a variable is not set
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
    // end exercise
}

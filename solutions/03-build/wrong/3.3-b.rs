// mistake: `+` gives the value where there is one, as `-` does, and not the word
let set = value.is_some();
let something = |colon: bool| value.filter(|value| !(colon && value.is_empty()));
match operator {
    Operator::Default { colon } => Ok(something(colon).unwrap_or(word)),
    Operator::Alternative { colon } => Ok(something(colon).unwrap_or_default()),
    Operator::Required { colon } => something(colon).ok_or(match word.as_str() {
        "" if set => format!("{name}: is not allowed to be empty"),
        "" => format!("{name}: is not allowed to be unset"),
        why => format!("{name}: {why}"),
    }),
}

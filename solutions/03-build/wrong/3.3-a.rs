// mistake: the colon makes no difference, so that a variable that is set to nothing always counts as set
match operator {
    Operator::Default { .. } => Ok(value.unwrap_or(word)),
    Operator::Alternative { .. } => Ok(if value.is_some() { word } else { String::new() }),
    Operator::Required { .. } if word.is_empty() => value.ok_or(format!("{name}: is not allowed to be unset")),
    Operator::Required { .. } => value.ok_or(format!("{name}: {word}")),
}

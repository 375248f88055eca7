// mistake: the colon makes no difference, and a word is taken as it stands
let end = name(inner);
let (name, operator) = inner.split_at(end);
if name.is_empty() {
    return Err(Fault::Format(inner.to_owned()));
}
let operator = operator.strip_prefix(':').unwrap_or(operator);
let value = variables.get(name).filter(|value| !value.is_empty());
let word = operator.get(1..).unwrap_or_default().to_owned();
match (operator.chars().next(), value) {
    (None, _) => Ok(lookup(name, variables, unset).to_owned()),
    (Some('-' | '?'), Some(value)) => Ok(value.clone()),
    (Some('-'), None) | (Some('+'), Some(_)) => Ok(word),
    (Some('+'), None) => Ok(String::new()),
    (Some('?'), None) => Err(Fault::Missing(name.to_owned(), word)),
    _ => Err(Fault::Format(inner.to_owned())),
}

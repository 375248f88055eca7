// mistake: the word is made first, whether it is used or not, and the operator is sought in the word too
let end = name(inner);
let (name, rest) = inner.split_at(end);
if name.is_empty() {
    return Err(Fault::Format(inner.to_owned()));
}
let value = variables.get(name);
for operator in [":-", "-", ":?", "?", ":+", "+"] {
    let Some((before, word)) = rest.split_once(operator) else { continue };
    if !before.is_empty() {
        continue;
    }
    let word = expand(word, variables, unset, depth + 1)?;
    let value = value.filter(|value| !operator.starts_with(':') || !value.is_empty());
    return match (operator.trim_start_matches(':'), value) {
        ("-" | "?", Some(value)) => Ok(value.clone()),
        ("-", None) | ("+", Some(_)) => Ok(word),
        ("?", None) => Err(Fault::Missing(name.to_owned(), word)),
        _ => Ok(String::new()),
    };
}
if rest.is_empty() { Ok(lookup(name, variables, unset).to_owned()) } else { Err(Fault::Format(inner.to_owned())) }

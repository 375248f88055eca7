// mistake: of several stages with one name, the first is taken
if let Ok(number) = from.parse::<i64>() {
    let number = usize::try_from(number).ok().filter(|number| *number < names.len());
    return number.map(Some).ok_or_else(|| Error::NoStage(from.to_owned()));
}
let from = from.to_lowercase();
Ok(names.iter().position(|name| *name == Some(from.as_str())))

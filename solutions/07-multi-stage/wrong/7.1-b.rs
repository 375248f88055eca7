// mistake: a number that no stage has is taken for the name of an image
if let Some(number) = from.parse::<usize>().ok().filter(|number| *number < names.len()) {
    return Ok(Some(number));
}
let from = from.to_lowercase();
Ok(names.iter().rposition(|name| *name == Some(from.as_str())))

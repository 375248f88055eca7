// mistake: what comes after the second colon is all one part, so that a fourth is taken for a strange mode
let mut parts = text.splitn(3, ':');
let first = parts.next().unwrap_or_default();
let (second, mode) = (parts.next(), parts.next().unwrap_or_default());
match second {
    _ if first.is_empty() => Err(Error::Specification(text.to_owned())),
    None => Ok(("", first, "")),
    Some(target) if mode.is_empty() && is_mode(target) => Err(Error::Specification(text.to_owned())),
    Some(_) if !is_mode(mode) => Err(Error::Mode(mode.to_owned())),
    Some(target) => Ok((first, target, mode)),
}

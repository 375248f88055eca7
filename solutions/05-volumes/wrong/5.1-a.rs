// mistake: `name:rw` is taken for a source and a target
let wrong = || Err(Error::Specification(text.to_owned()));
let parts: Vec<&str> = text.split(':').collect();
match parts.as_slice() {
    ["", ..] => wrong(),
    [target] => Ok(("", target, "")),
    [source, target] => Ok((source, target, "")),
    [source, target, mode] if is_mode(mode) => Ok((source, target, mode)),
    [_, _, mode] => Err(Error::Mode((*mode).to_owned())),
    _ => wrong(),
}

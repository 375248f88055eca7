// mistake: the path is looked at as text, and opened afterwards, when it may be another thing
let missing = |source| Error::Subpath { path: volume.join(subpath), source };
let escape = || Error::Escape { base: volume.to_owned(), subpath: subpath.to_owned() };
let base = volume.canonicalize().map_err(missing)?;
let path = base.join(subpath).canonicalize().map_err(missing)?;
if !path.starts_with(&base) {
    return Err(escape());
}
rustix::fs::open(&path, flags, Mode::empty()).map_err(|errno| missing(errno.into()))

// mistake: only the size is compared, and the sender is believed to have sent what was asked for
let limit = size.map_or(u64::MAX, |size| size.saturating_add(1));
let mut source = source.by_ref().take(limit);
let mut buffer = vec![0; 128 * 1024];
loop {
    match source.read(&mut buffer) {
        Ok(0) => break,
        Ok(count) => to.take_in(&buffer[..count])?,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(Error::io("receive a blob for", &to.folder)(error)),
    }
}
match size {
    Some(expected) if expected != to.size() => Err(Error::WrongSize { expected, found: to.size() }),
    _ => Ok(()),
}

// mistake: everything is read before anything is compared: who sends without end fills the disk
let mut buffer = vec![0; 128 * 1024];
loop {
    match source.read(&mut buffer) {
        Ok(0) => break,
        Ok(count) => to.take_in(&buffer[..count])?,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(Error::io("receive a blob for", &to.folder)(error)),
    }
}
match (size, digest) {
    (Some(expected), _) if expected != to.size() => Err(Error::WrongSize { expected, found: to.size() }),
    (_, Some(expected)) if expected != to.digest() => Err(Error::WrongDigest { expected, found: to.digest() }),
    _ => Ok(()),
}

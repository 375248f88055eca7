// mistake: the volume is taken for a root, as in_image does it: a link to /etc is then another file, and no error
let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
loop {
    match openat2(&root, subpath, flags, Mode::empty(), inside) {
        Ok(found) => return Ok(found),
        Err(Errno::AGAIN | Errno::INTR) => {}
        Err(Errno::XDEV) => return Err(Error::Escape { base: volume.to_owned(), subpath: subpath.to_owned() }),
        Err(errno) => return Err(Error::Subpath { path: volume.join(subpath), source: errno.into() }),
    }
}

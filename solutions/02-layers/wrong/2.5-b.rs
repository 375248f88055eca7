// mistake: a folder is never a change, so that a chmod of one goes untold
if is_whiteout(status) {
    return Ok(Some(ChangeKind::Deleted));
}
match below.find(path)? {
    None => Ok(Some(ChangeKind::Added)),
    Some(_) if FileType::from_raw_mode(status.st_mode) == FileType::Directory => Ok(None),
    Some(_) => Ok(Some(ChangeKind::Modified)),
}

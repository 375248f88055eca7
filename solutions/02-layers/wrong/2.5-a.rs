// mistake: every folder that was copied up is told as a change, also those that were only on the way
if is_whiteout(status) {
    return Ok(Some(ChangeKind::Deleted));
}
match below.find(path)? {
    None => Ok(Some(ChangeKind::Added)),
    Some(_) => Ok(Some(ChangeKind::Modified)),
}

// mistake: the time of the last change is part of it, so that every fresh checkout is another content
let mut hasher = Hasher::default();
for entry in entries {
    field(&mut hasher, entry.path.as_os_str().as_bytes());
    field(&mut hasher, entry.kind.letter());
    for number in [entry.mode, entry.uid, entry.gid] {
        field(&mut hasher, number.to_string().as_bytes());
    }
    field(&mut hasher, entry.stamp.modified.0.to_string().as_bytes());
    field(&mut hasher, &entry.kind.content());
}
hasher.finish()

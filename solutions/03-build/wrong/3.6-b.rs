// mistake: the fields follow one another with nothing that says where each ends, so that different files look alike
let mut hasher = Hasher::default();
for entry in entries {
    hasher.update(entry.path.as_os_str().as_bytes());
    hasher.update(entry.kind.letter());
    for number in [entry.mode, entry.uid, entry.gid] {
        hasher.update(number.to_string().as_bytes());
    }
    hasher.update(&entry.kind.content());
}
hasher.finish()

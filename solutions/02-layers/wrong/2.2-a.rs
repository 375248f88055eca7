// mistake: the digits alone are hashed, without the algorithm's name
match parent {
    None => diff_id,
    Some(parent) => Digest::of(format!("{} {}", parent.hex(), diff_id.hex()).as_bytes()),
}

// mistake: the layer before what is below it
match parent {
    None => diff_id,
    Some(parent) => Digest::of(format!("{diff_id} {parent}").as_bytes()),
}

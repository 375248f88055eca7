// mistake: a 200, which is the whole blob, is added to what is there; and a 416 always means the end
match (status, content_range.and_then(parse_content_range)) {
    (200, _) => Resume::Append,
    (206, Some((first, whole))) if first == have && whole.is_none_or(|whole| whole == size) => Resume::Append,
    (416, _) => Resume::Complete,
    _ => Resume::Refused,
}

// mistake: the second number is the first byte that is not meant any more, as in Rust
let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
    return Asked::Everything;
};
let part = |first: u64, end: u64| match first < end.min(size) {
    true => Asked::Part(first..=end.min(size) - 1),
    false => Asked::Nothing,
};
match (first.parse::<u64>(), last.parse::<u64>()) {
    (Ok(first), Ok(last)) if first <= last => part(first, last),
    (Ok(first), Err(_)) if last.is_empty() => part(first, size),
    (Err(_), Ok(count)) if first.is_empty() => part(size.saturating_sub(count), size),
    _ => Asked::Everything,
}

// mistake: no number before the - is a 0, and what is beyond the end gets everything
let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
    return Asked::Everything;
};
let first = first.parse::<u64>().unwrap_or(0);
let last = last.parse::<u64>().unwrap_or(u64::MAX).min(size.saturating_sub(1));
match first <= last && first < size {
    true => Asked::Part(first..=last),
    false => Asked::Everything,
}

// mistake: however little room there is, all that can begin does
left.iter()
    .filter(|(_, from)| from.is_none_or(|from| built.contains_key(&from)))
    .map(|(stage, _)| *stage)
    .collect()

// mistake: a stage that is built from no stage is never ready
left.iter()
    .filter(|(_, from)| from.is_some_and(|from| built.contains_key(&from)))
    .map(|(stage, _)| *stage)
    .take(room)
    .collect()

// mistake: gives what the engine itself does not hold
if added.all {
    available.difference(&dropped.listed).copied().collect()
} else if dropped.all {
    added.listed.clone()
} else {
    default_set().difference(&dropped.listed).chain(&added.listed).copied().collect()
}

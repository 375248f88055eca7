// mistake: nobody, and somebody without an address, are one and the same
let mut found = Vec::new();
for known in networks {
    let short = || name.strip_suffix(&known.network)?.strip_suffix('.');
    found.extend(known.addresses.get(name).or_else(|| known.addresses.get(short()?)).into_iter().flatten());
}
(!found.is_empty()).then_some(found)

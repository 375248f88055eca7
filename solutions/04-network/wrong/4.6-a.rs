// mistake: the first network on which somebody is called so is enough
networks.iter().find_map(|known| {
    let short = || name.strip_suffix(&known.network)?.strip_suffix('.');
    known.addresses.get(name).or_else(|| known.addresses.get(short()?)).cloned()
})

// mistake: who does not take part is waited for, for ever; which is then called a cycle
let mut started: BTreeSet<&str> = BTreeSet::new();
let mut groups = Vec::new();
while started.len() < services.len() {
    let ready = |(name, on): &(&String, &BTreeSet<String>)| {
        !started.contains(name.as_str()) && on.iter().all(|on| started.contains(on.as_str()))
    };
    let group: Vec<&str> = services.iter().filter(ready).map(|(name, _)| name.as_str()).collect();
    if group.is_empty() {
        let open = services.keys().map(String::as_str).filter(|name| !started.contains(name));
        return Err(cycle(services, &open.collect()));
    }
    started.extend(&group);
    groups.push(group.into_iter().map(str::to_owned).collect());
}
Ok(groups)

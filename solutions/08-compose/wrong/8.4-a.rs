// mistake: one after the other, in a right order, but nobody together with anybody
let mut open: BTreeSet<&str> = services.keys().map(String::as_str).collect();
let mut groups = Vec::new();
while !open.is_empty() {
    let ready = |name: &&&str| !services[**name].iter().any(|on| open.contains(on.as_str()));
    let Some(name) = open.iter().find(ready).copied() else { return Err(cycle(services, &open)) };
    open.remove(name);
    groups.push(vec![name.to_owned()]);
}
Ok(groups)

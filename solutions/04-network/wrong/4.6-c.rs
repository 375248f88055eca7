// mistake: all behind the first dot is cut off, and whichever network was named is asked
let bare = name.split('.').next().unwrap_or(name);
let mut found: Option<Vec<IpAddr>> = None;
for known in networks {
    if let Some(addresses) = known.addresses.get(name).or_else(|| known.addresses.get(bare)) {
        found.get_or_insert_default().extend(addresses);
    }
}
found

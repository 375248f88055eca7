//! Who starts when.

use std::collections::{BTreeMap, BTreeSet};

/// Services, each with those that it waits for.
pub type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// In which order services start: each group once all groups before it have, and those of one group at the same time. They stop the
/// other way round. Who is waited for and not among them is passed over.
///
/// # Errors
/// A cycle, from one of its services to the same again: nobody in it could ever start.
pub fn start_order(services: &Dependencies) -> Result<Vec<Vec<String>>, Vec<String>> {
    let mut started: BTreeSet<&str> = BTreeSet::new();
    let mut groups = Vec::new();
    while started.len() < services.len() {
        let waits =
            |of: &BTreeSet<String>| of.iter().any(|on| services.contains_key(on) && !started.contains(on.as_str()));
        let ready = |(name, of): &(&String, &BTreeSet<String>)| !started.contains(name.as_str()) && !waits(of);
        let group: Vec<String> = services.iter().filter(ready).map(|(name, _)| name.clone()).collect();
        if group.is_empty() {
            return Err(cycle(services, &started));
        }
        started.extend(services.keys().filter(|name| group.contains(name)).map(String::as_str));
        groups.push(group);
    }
    Ok(groups)
}

/// A cycle among those that have not started. From any of them, some other that it waits for can be gone to, and so on: once one is
/// met a second time, the way since is a cycle.
fn cycle(services: &Dependencies, started: &BTreeSet<&str>) -> Vec<String> {
    let open = |name: &&String| services.contains_key(*name) && !started.contains(name.as_str());
    let mut way: Vec<String> = Vec::new();
    let mut next = services.keys().find(open);
    while let Some(name) = next {
        if let Some(first) = way.iter().position(|been| been == name) {
            way.push(name.clone());
            return way.split_off(first);
        }
        way.push(name.clone());
        next = services.get(name).and_then(|of| of.iter().find(open));
    }
    way
}

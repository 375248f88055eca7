//! Who starts when.

use std::collections::{BTreeMap, BTreeSet};

/// Services, each with those that it waits for.
pub type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// In which order services start: each group once all groups before it have, and those of one group, by name, at the same time.
/// They stop the other way round. Each service is in the first group that it can be in. Whoever is waited for and not among them is
/// passed over.
///
/// # Errors
/// A [`cycle`], from one of its services to the same again: nobody in it could ever start.
pub fn start_order(services: &Dependencies) -> Result<Vec<Vec<String>>, Vec<String>> {
    // exercise: 8.4 start_order: who waits for nobody, then who waits for those only, and so on
    todo!("exercise 8.4, start_order: who waits for nobody, then who waits for those only, and so on")
    // end exercise
}

/// A cycle among those that cannot start. From any of them, some other that it waits for can be gone to, and so on: once one is met a
/// second time, the way since is a cycle.
fn cycle(services: &Dependencies, waiting: &BTreeSet<&str>) -> Vec<String> {
    let open = |name: &&String| waiting.contains(name.as_str());
    let mut way: Vec<String> = Vec::new();
    let mut been: BTreeMap<&str, usize> = BTreeMap::new();
    let mut next = services.keys().find(open);
    while let Some(name) = next {
        if let Some(first) = been.insert(name, way.len()) {
            way.push(name.clone());
            return way.split_off(first);
        }
        way.push(name.clone());
        next = services.get(name).and_then(|of| of.iter().find(open));
    }
    way
}

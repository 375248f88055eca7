// mistake: everybody is put down one after the other, and the last of two in one place stays, the user's own too
let mut settled = std::collections::BTreeMap::new();
for point in declared.into_iter().chain(from).chain(own) {
    if !tmpfs.contains(&point.destination) {
        settled.insert(point.destination.clone(), point);
    }
}
Ok(settled.into_values().collect())

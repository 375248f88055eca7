// mistake: of two who lend a place, the first does
let mut settled: Vec<MountPoint> = Vec::new();
let has = |points: &[MountPoint], place: &str| points.iter().any(|point| point.destination == place);
for point in own {
    if has(&settled, &point.destination) || tmpfs.contains(&point.destination) {
        return Err(Error::Duplicate(point.destination));
    }
    settled.push(point);
}
for point in from.into_iter().chain(declared) {
    if !has(&settled, &point.destination) && !tmpfs.contains(&point.destination) {
        settled.push(point);
    }
}
Ok(settled)

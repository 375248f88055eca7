// mistake: another container counts only where it has the volume in the same place and the same way
let mut names = Vec::new();
for point in of {
    if let Source::Volume(volume) = &point.source
        && volume.anonymous
        && !others.contains(point)
    {
        names.push(volume.name.clone());
    }
}
names

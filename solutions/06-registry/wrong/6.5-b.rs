// mistake: a part that both paths have counts, wherever it stands; and that the target has the blob itself is overlooked
let there = known.iter().filter(|image| {
    let name = &image.name;
    name.digest().is_some() && name.domain() == target.domain() && image.blobs.contains(blob)
});
let common = |path: &str| path.split('/').filter(|part| target.path().split('/').any(|other| other == *part)).count();
let others = there.filter(|image| image.name.path() != target.path());
others.max_by_key(|image| common(image.name.path())).map(|image| image.name.path().to_owned())

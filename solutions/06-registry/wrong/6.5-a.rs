// mistake: the first image that has the blob will do, in whichever registry, and whether it ever was there or not
let found = known.iter().find(|image| image.blobs.contains(blob) && image.name.path() != target.path());
found.map(|image| image.name.path().to_owned())

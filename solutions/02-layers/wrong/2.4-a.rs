// mistake: the layers in the image's own order, so that the lowest hides all others
let mut folders: Vec<(&str, &Path)> = lower.iter().map(|layer| ("lowerdir+", layer.as_path())).collect();
if let Some((upper, work)) = upper_work {
    folders.extend([("upperdir", upper), ("workdir", work)]);
}
folders

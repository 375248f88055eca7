// mistake: the upper folder is given as one more layer, so that nobody can write
let mut folders: Vec<(&str, &Path)> = Vec::new();
if let Some((upper, _)) = upper_work {
    folders.push(("lowerdir+", upper));
}
folders.extend(lower.iter().rev().map(|layer| ("lowerdir+", layer.as_path())));
folders

// mistake: a path that this kernel does not have is an error, and no container starts
let place = beneath::open(root, path, OFlags::PATH)?;
if is_folder(place.as_fd())? { covers.hide_folder(&place) } else { covers.hide_file(&place) }

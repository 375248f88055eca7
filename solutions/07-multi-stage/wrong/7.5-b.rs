// mistake: only the id counts: who wants the files of another image gets what came of the first
let target = mount.target.as_deref().unwrap_or_default();
let id = mount.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| cleaned(target));
format!("id {id}\n{:?} {:?} {:?}\n", mount.mode, mount.uid, mount.gid)

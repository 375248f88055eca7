// mistake: where the name is taken, nothing is done: a folder is then merged with the one it was to replace
match mark {
    Mark::Opaque => set_opaque(folder),
    Mark::Hides(name) => make_whiteout(folder, name).map(|_| ()),
    Mark::Reserved => Ok(()),
}

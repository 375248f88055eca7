// mistake: the folder that a whiteout stands in is made opaque, and hides far more than one name
match mark {
    Mark::Opaque => set_opaque(folder),
    Mark::Hides(name) => match make_whiteout(folder, name)? {
        true => Ok(()),
        false => set_opaque(folder),
    },
    Mark::Reserved => Ok(()),
}

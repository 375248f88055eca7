// mistake: dropping comes last, so that `--cap-drop ALL` takes away what `--cap-add` has given
let mut set = default_set();
set.extend(if added.all { available } else { &added.listed });
if dropped.all {
    set.clear();
}
set.retain(|capability| !dropped.listed.contains(capability) && available.contains(capability));
set

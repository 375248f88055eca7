// mistake: the new ones are numbered on from how many there are, a number that somebody may have
let mut order: Vec<usize> = (0..existing.len()).collect();
order.sort_by_key(|&i| (existing[i].outdated, existing[i].number));
let mut stay: BTreeSet<u32> = BTreeSet::new();
let mut actions = Vec::new();
for i in order {
    let has_place = stay.len() < scale as usize && stay.insert(existing[i].number);
    actions.push(match (has_place, existing[i].outdated) {
        (false, _) => Action::Remove(i),
        (true, true) => Action::Replace(i),
        (true, false) => Action::Keep(i),
    });
}
actions.extend((stay.len() as u32 + 1..=scale).map(Action::Create));
actions

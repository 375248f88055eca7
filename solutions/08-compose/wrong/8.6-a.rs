// mistake: the first that are there stay, whether they are good or not, and nobody looks whether a number is there twice
let scale = scale as usize;
let mut actions: Vec<Action> = Vec::new();
for (i, container) in existing.iter().enumerate() {
    actions.push(match (i < scale, container.outdated) {
        (false, _) => Action::Remove(i),
        (true, true) => Action::Replace(i),
        (true, false) => Action::Keep(i),
    });
}
let highest = existing.iter().map(|container| container.number).max().unwrap_or(0);
actions.extend((existing.len()..scale).zip(highest + 1..).map(|(_, number)| Action::Create(number)));
actions

//! What is to be done so that the containers of a service are what its file says, and no more than that.

use std::collections::BTreeSet;

/// A container that a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Which of the service's it is, from 1.
    pub number: u32,
    /// Something of it is not as the file has it: it was made of another configuration, or of another image.
    pub outdated: bool,
}

/// What is to be done with a container: one of those that are there, by its place in the list, or a new one, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It may stay as it is.
    Keep(usize),
    /// A new one of the same number takes its place.
    Replace(usize),
    Remove(usize),
    Create(u32),
}

/// What leads from the containers that are there to `scale` that are as the file has them: one action for each of those that are
/// there and each that is made, in whichever order.
///
/// * Of two with one number, which a replacement leaves that was broken off, one goes: the outdated one, if there is one.
/// * Where there are too many, the outdated go first, and of those that are alike the highest numbers.
/// * Who stays is kept, or replaced where it is outdated.
/// * New ones are numbered on from the highest that is there.
pub fn plan(existing: &[Existing], scale: u32) -> Vec<Action> {
    // exercise: 8.6 plan: keep, replace, remove, create
    let mut order: Vec<usize> = (0..existing.len()).collect();
    order.sort_by_key(|&i| (existing[i].outdated, existing[i].number));
    let mut stay: BTreeSet<u32> = BTreeSet::new();
    let mut actions = Vec::new();
    for i in order {
        let Existing { number, outdated } = existing[i];
        let has_place = stay.len() < scale as usize && stay.insert(number);
        actions.push(match (has_place, outdated) {
            (false, _) => Action::Remove(i),
            (true, true) => Action::Replace(i),
            (true, false) => Action::Keep(i),
        });
    }
    let highest = existing.iter().map(|container| container.number).max().unwrap_or(0);
    let missing = scale - stay.len() as u32;
    actions.extend((1..=missing).map(|more| Action::Create(highest.saturating_add(more))));
    actions
    // end exercise
}

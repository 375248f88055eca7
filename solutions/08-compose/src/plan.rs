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

/// What leads from the containers that are there to `scale` that are as the file has them.
///
/// Who has to go anyway goes first, and then whoever has the highest number. Of two with one number, which only a replacement leaves
/// that was broken off, the one that is as it should be stays. New ones are numbered on from the highest.
pub fn plan(existing: &[Existing], scale: u32) -> Vec<Action> {
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
    actions.extend((1..=missing).map(|more| Action::Create(highest + more)));
    actions
}

#[cfg(test)]
mod tests {
    use super::Action::*;
    use super::*;

    fn there(text: &str) -> Vec<Existing> {
        let one = |word: &str| Existing {
            number: word.trim_end_matches('!').parse().unwrap_or_default(),
            outdated: word.ends_with('!'),
        };
        text.split_whitespace().map(one).collect()
    }

    #[test]
    fn what_fits_stays_and_what_does_not_is_replaced() {
        assert_eq!(plan(&[], 2), [Create(1), Create(2)]);
        assert_eq!(plan(&there("1 2"), 2), [Keep(0), Keep(1)]);
        assert_eq!(plan(&there("1 2!"), 2), [Keep(0), Replace(1)]);
        assert_eq!(plan(&there("1 3"), 3), [Keep(0), Keep(1), Create(4)]);
    }

    #[test]
    fn with_fewer_the_outdated_and_then_the_highest_go() {
        assert_eq!(plan(&there("3 1 2"), 1), [Keep(1), Remove(2), Remove(0)]);
        assert_eq!(plan(&there("1! 2 3"), 2), [Keep(1), Keep(2), Remove(0)]);
        assert_eq!(plan(&there("1 2"), 0), [Remove(0), Remove(1)]);
    }

    #[test]
    fn of_two_with_one_number_one_stays() {
        // The replacement of 1 was made, and then its maker was killed.
        assert_eq!(plan(&there("1! 1 2!"), 2), [Keep(1), Remove(0), Replace(2)]);
    }
}

//! What is to be done.

use crate::compose::plan::{Action, Existing, plan};

const READ: &str = "Read: docs.docker.com, \"docker compose up\": --scale, --force-recreate, --no-recreate.";

/// `1 2! 3`: three, of which the second is outdated.
fn there(text: &str) -> Vec<Existing> {
    let one =
        |word: &str| Existing { number: word.trim_end_matches('!').parse().unwrap(), outdated: word.ends_with('!') };
    text.split_whitespace().map(one).collect()
}

/// By their places, and then the new ones.
fn told(existing: &[Existing], actions: &[Action]) -> String {
    let mut told = vec![Vec::new(); existing.len()];
    let mut new = Vec::new();
    for action in actions {
        match *action {
            Action::Keep(i) => told[i].push("keep"),
            Action::Replace(i) => told[i].push("replace"),
            Action::Remove(i) => told[i].push("remove"),
            Action::Create(number) => new.push(number),
        }
    }
    new.sort_unstable();
    let place = |(container, actions): (&Existing, Vec<&str>)| {
        let all = if actions.is_empty() { "nothing".to_owned() } else { actions.join(" and ") };
        format!("{} {}", all, container.number)
    };
    let new = new.iter().map(|number| format!("create {number}"));
    existing.iter().zip(told).map(place).chain(new).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn does(existing: &str, scale: u32, expected: &str, why: &str) {
    let containers = there(existing);
    let found = told(&containers, &plan(&containers, scale));
    assert_eq!(found, expected, "there are: {existing:?} (`!` is outdated), and there shall be {scale}. {why}. {READ}");
}

#[test]
fn what_is_as_it_should_be_stays() {
    does("1", 1, "keep 1", "the second `up` does nothing");
    does("1 2 3", 3, "keep 1, keep 2, keep 3", "the second `up` does nothing");
    does("", 0, "", "nothing is there, and nothing shall be");
}

#[test]
fn what_is_outdated_is_replaced() {
    does("1!", 1, "replace 1", "its file says something else by now");
    does("1 2! 3", 3, "keep 1, replace 2, keep 3", "the others are as they should be: they are not to be stopped");
}

#[test]
fn what_is_missing_is_made_under_new_numbers() {
    does("", 2, "create 1, create 2", "they are counted from 1");
    does("1", 3, "keep 1, create 2, create 3", "the one that is there is not to be stopped");
    does("1 3", 3, "keep 1, keep 3, create 4", "3 has its name already, and whoever knew 2 knew another");
    does("2!", 2, "replace 2, create 3", "the numbers go on from the highest");
}

#[test]
fn of_too_many_the_outdated_go_and_then_the_highest() {
    does("3 1 2", 1, "remove 3, keep 1, remove 2", "in whichever order they are told");
    does("1! 2 3", 2, "remove 1, keep 2, keep 3", "to keep two that are good costs less than to replace one");
    does("1! 2! 3", 2, "replace 1, remove 2, keep 3", "one good one stays, and the outdated with the lower number");
    does("1 2", 0, "remove 1, remove 2", "`--scale web=0`");
}

#[test]
fn of_two_with_one_number_one_stays() {
    const WHY: &str = "the new 1 was made to replace the old one, and then somebody pulled the plug";
    does("1! 1 2", 2, "remove 1, keep 1, keep 2", WHY);
    does("1 1! 2!", 2, "keep 1, remove 1, replace 2", WHY);
    does("1! 1", 2, "remove 1, keep 1, create 2", WHY);
}

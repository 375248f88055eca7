//! Called by the name `docker-compose`, this program is `kesako compose`.

use super::{Compose, arguments};
use crate::complete::takes_value;
use clap::Args;
use std::path::Path;

pub(super) const NAME: &str = "docker-compose";

/// The commands of a project, as whoever called us calls them.
pub(in crate::command) fn called() -> &'static str {
    if is_called_so() { NAME } else { "kesako compose" }
}

fn is_called_so() -> bool {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name).file_name().is_some_and(|name| name == NAME)
}

/// The words of the command line as those of `kesako`.
pub fn words(given: Vec<String>) -> Vec<String> {
    if is_called_so() { convert(given) } else { given }
}

/// What is said to docker-compose, said to kesako: where the daemon is stands before the command, and so do our own flags.
fn convert(given: Vec<String>) -> Vec<String> {
    let flags = arguments::tune(Compose::augment_args(clap::Command::new(NAME)));
    let (mut front, mut words) = (Vec::new(), vec!["compose".to_owned()]);
    let mut given = given.into_iter();
    while let Some(word) = given.next() {
        if !word.starts_with('-') {
            words.push(word);
            words.extend(given);
            break;
        }
        match word.split('=').next().unwrap_or_default() {
            "--verbose" => front.push("--debug".to_owned()),
            "-D" | "--debug" | "--explain" => front.push(word),
            "-H" | "--host" | "--root" => {
                let is_whole = word.contains('=');
                front.push(word);
                front.extend(if is_whole { None } else { given.next() });
            }
            _ => {
                let has_value = takes_value(&flags, &word);
                words.push(word);
                words.extend(if has_value { given.next() } else { None });
            }
        }
    }
    front.extend(words);
    front
}

#[cfg(test)]
mod tests {
    fn converted(line: &str) -> String {
        super::convert(line.split_whitespace().map(str::to_owned).collect()).join(" ")
    }

    #[test]
    fn where_the_daemon_is_comes_first() {
        assert_eq!(converted("up -d"), "compose up -d");
        assert_eq!(converted("-f a.yaml -H unix:///x -p b ps -H"), "-H unix:///x compose -f a.yaml -p b ps -H");
        assert_eq!(
            converted("--verbose --host=unix:///x --ansi never logs"),
            "--debug --host=unix:///x compose --ansi never logs"
        );
        assert_eq!(converted("--file=a -v"), "compose --file=a -v");
        assert_eq!(converted(""), "compose");
    }
}

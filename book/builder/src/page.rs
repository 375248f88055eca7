//! The console blocks of a page of Markdown.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::shell::PROMPT;

/// The pages with a session in them, in the order of the book.
pub(crate) fn all() -> Result<Vec<PathBuf>> {
    let source = crate::book().join("src");
    let summary = source.join("SUMMARY.md");
    let summary = std::fs::read_to_string(&summary).with_context(|| format!("cannot read {}", summary.display()))?;
    let links = summary.lines().filter_map(|line| line.split_once("](")?.1.split_once(')'));
    Ok(links.map(|(page, _)| source.join(page)).collect())
}

/// Who runs a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ```` ```console ````: the built kesako, in the shell of the page.
    Kesako,
    /// ```` ```console,network ````: the same, where kesako can make networks: not every kernel lets an ordinary user.
    Network,
    /// ```` ```console,root ````: the same, of what only root sees or may do. An ordinary user's page goes on without it.
    Root,
    /// ```` ```console,docker ````: the real docker, where there is a daemon for it.
    Docker,
    /// ```` ```console,workshop ````: what a learner types in the repository, where there is a clone of it for that. What the
    /// reader does in an editor meanwhile is a session in a comment, `<!-- console,workshop`.
    Workshop,
}

/// A command and what it prints, by lines of the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub kind: Kind,
    pub command: String,
    pub expected: Vec<String>,
    /// Where the output stands: from this line (counted from 0) on, `expected.len()` lines.
    pub at: usize,
}

impl Step {
    /// What is typed into the container's shell, where the session goes on in there.
    pub(crate) fn typed(&self) -> Vec<&str> {
        self.expected.iter().filter_map(|line| line.strip_prefix(PROMPT)).collect()
    }
}

/// Finds the steps. A block is a series of `$ command`, each followed by its output; a command goes on in lines that begin
/// with `> `. Every other kind of block, also ```` ```console,shown ````, is left alone.
pub(crate) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block = Block::Outside;
    for (number, line) in text.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            block = match (block, info.trim()) {
                (Block::Outside, "console") => Block::Session(Kind::Kesako),
                (Block::Outside, "console,network") => Block::Session(Kind::Network),
                (Block::Outside, "console,root") => Block::Session(Kind::Root),
                (Block::Outside, "console,docker") => Block::Session(Kind::Docker),
                (Block::Outside, "console,workshop") => Block::Session(Kind::Workshop),
                (Block::Outside, _) => Block::Other,
                (Block::Session(_) | Block::Other, _) => Block::Outside,
            };
            continue;
        }
        let comment = match (&block, line) {
            (Block::Outside, "<!-- console,workshop") => Some(Block::Session(Kind::Workshop)),
            (Block::Session(Kind::Workshop), "-->") => Some(Block::Outside),
            _ => None,
        };
        if let Some(comment) = comment {
            block = comment;
            continue;
        }
        let Block::Session(kind) = block else { continue };
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { kind, command: command.to_owned(), expected: Vec::new(), at: number + 1 });
        } else if let Some(step) = steps.last_mut() {
            match line.strip_prefix("> ") {
                Some(more) if step.expected.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(more);
                    step.at = number + 1;
                }
                _ => step.expected.push(line.to_owned()),
            }
        }
    }
    steps
}

enum Block {
    Outside,
    Session(Kind),
    Other,
}

/// The page with other output in it: what stood at each step's place is replaced.
pub(crate) fn rewrite(text: &str, changes: &[(&Step, Vec<String>)]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for (step, output) in changes.iter().rev() {
        lines.splice(step.at..step.at + step.expected.len(), output.iter().map(String::as_str));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Text.\n\n```console\n$ one \\\n> two\nout\nput\n$ three\n```\n\n```rust\n$ no\n```\n\n```console,docker\n$ docker ps\nx\n```\n";

    #[test]
    fn commands_and_their_output_are_found() {
        let found = steps(PAGE);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].command, "one \\\ntwo");
        assert_eq!(found[0].expected, ["out", "put"]);
        assert!(found[1].expected.is_empty());
        assert_eq!((found[2].kind, found[2].at), (Kind::Docker, 16));
    }

    #[test]
    fn what_the_reader_does_meanwhile_is_in_a_comment() {
        let found = steps(
            "```console\n$ a\n```\n<!-- console,workshop\n$ sed\nout\n-->\n```console,workshop\n$ cargo\n```\n<!-- a note -->\n$ no\n",
        );
        let found: Vec<_> = found.iter().map(|step| (step.kind, step.command.as_str(), step.expected.len())).collect();
        assert_eq!(found, [(Kind::Kesako, "a", 0), (Kind::Workshop, "sed", 1), (Kind::Workshop, "cargo", 0)]);
    }

    #[test]
    fn what_not_everybody_can_do_is_marked() {
        let found = steps("```console\n$ a\n```\n```console,root\n$ b\n```\n```console,network\n$ c\n```\n");
        let found: Vec<_> = found.iter().map(|step| step.kind).collect();
        assert_eq!(found, [Kind::Kesako, Kind::Root, Kind::Network]);
    }

    #[test]
    fn output_is_replaced_in_its_place() {
        let found = steps(PAGE);
        let rewritten = rewrite(PAGE, &[(&found[0], vec!["new".into()]), (&found[1], vec!["3".into(), "3".into()])]);
        assert_eq!(rewritten, PAGE.replace("out\nput\n", "new\n").replace("$ three\n", "$ three\n3\n3\n"));
    }
}

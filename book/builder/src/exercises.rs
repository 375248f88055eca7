//! The tasks of a chapter, as the book shows them: from `exercises.toml` and the marks in the solution, which are what
//! `cargo workshop` makes the starters of.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Chapter {
    #[serde(rename = "exercise", default)]
    exercises: Vec<Exercise>,
}

#[derive(Deserialize)]
struct Exercise {
    id: String,
    title: String,
    tests: Vec<String>,
    #[serde(default)]
    read: Vec<String>,
    hints: Vec<String>,
}

/// Where the exercise is in the solution.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Beneath the chapter's folder, the same in solution and starter.
    file: PathBuf,
    function: String,
    /// The doc comment above it.
    task: String,
    /// What the hole in the starter says when it is met.
    hole: String,
}

/// A page with the tasks in it, where it says `{{#tasks 02-layers}}`, and a function with a hole, where it says `{{#hole 01-process 1.1}}`.
pub(crate) fn fill(page: &str, project: &Path) -> Result<String> {
    let page = replace(page, "{{#tasks ", |chapter| tasks(project, chapter))?;
    replace(&page, "{{#hole ", |exercise| {
        let (chapter, id) = exercise.split_once(' ').context("{{#hole CHAPTER EXERCISE}}")?;
        let sources = sources(&project.join("solutions").join(chapter).join("src"))?;
        let hole = sources.iter().find_map(|(_, source)| hole(source, id));
        hole.with_context(|| format!("no source marks exercise {id}"))
    })
}

fn replace(page: &str, opening: &str, what: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut replaced = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(opening) {
        let (argument, after) = after.split_once("}}").with_context(|| format!("{opening}… is not closed"))?;
        replaced += before;
        replaced += &what(argument.trim())?;
        rest = after;
    }
    Ok(replaced + rest)
}

/// The function of an exercise, from its doc comment to its end. [`hide_answers`] makes the hole.
fn hole(source: &str, id: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let mark = lines.iter().position(|line| title(line.trim(), id).is_some())?;
    let function = lines[..mark].iter().rposition(|line| function_name(line.trim()).is_some())?;
    let above = |line: &&str| ["///", "#["].iter().any(|start| line.trim().starts_with(start));
    let start = lines[..function].iter().rposition(|line| !above(line))? + 1;
    let indent = lines[function].len() - lines[function].trim_start().len();
    let end = lines.iter().skip(mark).position(|line| line.trim_start() == "}" && line.len() == indent + 1)? + mark;
    let shown: Vec<&str> = lines[start..=end].iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
    Some(shown.join("\n"))
}

/// A page without the answers: code that it includes from a solution has the starter's holes.
pub(crate) fn hide_answers(page: &str) -> String {
    let mut shown = String::new();
    let mut answer = false;
    for line in page.lines() {
        let code = line.trim_start();
        answer &= code != "// end exercise";
        if !answer {
            shown += line;
            shown.push('\n');
        }
        if let Some(exercise) = code.strip_prefix("// exercise: ") {
            answer = true;
            let indent = &line[..line.len() - code.len()];
            shown += &format!("{indent}todo!(\"exercise {}\")\n", exercise.replacen(' ', ", ", 1));
        }
    }
    shown
}

/// The tasks of `solutions/<chapter>` as Markdown: a table, then each with its hints folded.
fn tasks(project: &Path, chapter: &str) -> Result<String> {
    let solution = project.join("solutions").join(chapter);
    let file = solution.join("exercises.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let Chapter { exercises } = toml::from_str(&text).with_context(|| format!("cannot parse {}", file.display()))?;
    let sources = sources(&solution.join("src"))?;
    let mut table = String::from("| | you write | in | tests |\n|---|---|---|---|\n");
    let mut details = String::new();
    for exercise in &exercises {
        let mut places = sources.iter().filter_map(|(path, source)| find(source, &exercise.id).map(|it| (path, it)));
        let (path, mut place) = places.next().with_context(|| format!("no source marks exercise {}", exercise.id))?;
        place.file = path.strip_prefix(&solution)?.to_owned();
        row(&mut table, exercise, &place)?;
        detail(&mut details, chapter, exercise, &place)?;
    }
    Ok(table + "\n" + &details)
}

fn row(table: &mut String, exercise: &Exercise, place: &Place) -> std::fmt::Result {
    let (id, count) = (&exercise.id, exercise.tests.len());
    writeln!(table, "| {id} | `{}` | `{}` | {count} |", place.function, place.file.display())
}

fn detail(text: &mut String, chapter: &str, exercise: &Exercise, place: &Place) -> std::fmt::Result {
    let Exercise { id, title, tests, read, hints } = exercise;
    let Place { file, function, task, hole } = place;
    let number: String = chapter.chars().skip_while(|digit| *digit == '0').take_while(char::is_ascii_digit).collect();
    writeln!(text, "### {id} {title}\n")?;
    writeln!(text, "`{function}` in `chapters/{chapter}/{}`. What is asked:\n", file.display())?;
    for line in task.lines() {
        writeln!(text, "> {line}")?;
    }
    writeln!(text, "\nIts tests, all of which `cargo workshop check {id}` runs:\n\n```text")?;
    for test in tests {
        writeln!(text, "cargo test -p chapter-{number} {test}")?;
    }
    writeln!(text, "```\n\nAt first they fail with\n")?;
    writeln!(text, "```text\nnot yet implemented: {hole}\n```\n")?;
    if !read.is_empty() {
        writeln!(text, "Worth reading: {}.\n", read.join("; "))?;
    }
    for (number, hint) in hints.iter().enumerate() {
        let summary = ["A hint", "A stronger hint", "Nearly the answer"].get(number).copied().unwrap_or("One more");
        writeln!(text, "<details><summary>{summary}</summary>\n\n{hint}\n\n</details>\n")?;
    }
    Ok(())
}

/// All Rust files of a folder, with their text, in the order of their paths.
fn sources(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(&path)?));
        }
    }
    found.sort();
    Ok(found)
}

/// `// exercise: 2.2 chain_id: name the layer and all below it`
fn find(source: &str, id: &str) -> Option<Place> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mark = lines.iter().position(|line| title(line, id).is_some())?;
    let (name, summary) = title(lines[mark], id)?.split_once(": ")?;
    let function = lines[..mark].iter().rposition(|line| function_name(line).is_some())?;
    let above = lines[..function].iter().rev().skip_while(|line| line.starts_with("#["));
    let mut task: Vec<&str> = above.map_while(|line| line.strip_prefix("///")).map(str::trim).collect();
    task.reverse();
    Some(Place {
        file: PathBuf::new(),
        function: full_name(source, function)?,
        task: task.into_iter().map(as_prose).collect::<Vec<_>>().join("\n"),
        hole: format!("exercise {id}, {name}: {summary}"),
    })
}

/// Of the exercise that a line marks the beginning of: `chain_id: name the layer and all below it`.
fn title<'a>(line: &'a str, id: &str) -> Option<&'a str> {
    line.strip_prefix("// exercise: ")?.strip_prefix(id)?.strip_prefix(' ')
}

/// A line of a doc comment, outside the documentation: what it links to is not here, and a heading is no heading of the page.
fn as_prose(line: &str) -> String {
    match line.strip_prefix("# ") {
        Some(heading) => format!("*{heading}*"),
        None => line.replace("[`", "`").replace("`]", "`"),
    }
}

/// The function in this line, with the type it belongs to: `Digest::chain`.
fn full_name(source: &str, line: usize) -> Option<String> {
    let lines: Vec<&str> = source.lines().take(line + 1).collect();
    let name = function_name(lines[line].trim())?;
    let of = lines.iter().rev().find(|line| line.starts_with("impl")).filter(|_| lines[line].starts_with(' '));
    // `impl Digest {`, `impl<'a> Stack<'a> {`, `impl Read for Hasher {`
    let of = of.and_then(|line| line.trim_end_matches(" {").split(' ').next_back()?.split('<').next());
    Some(of.map_or(name.to_owned(), |of| format!("{of}::{name}")))
}

fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let qualifiers = ["", "pub ", "pub(crate) ", "const ", "unsafe ", "pub(super) ", "pub const "];
    let name = after.split(['(', '<']).next()?;
    (qualifiers.contains(&before) && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
/// Another.
fn other() {}

impl Digest {
    /// The chain ID of a [`Layer`].
    ///
    /// # Errors
    /// None.
    #[must_use]
    pub fn chain(parent: Option<Digest>) -> Digest {
        // exercise: 2.2 chain_id: name the layer and all below it
        todo
        // end exercise
    }
}
";

    #[test]
    fn the_tasks_of_the_book_can_be_told() {
        for page in crate::page::all().unwrap() {
            let filled = fill(&fs::read_to_string(&page).unwrap(), &crate::book().join("..")).unwrap();
            assert!(!filled.contains("{{#tasks"), "{}", page.display());
        }
    }

    #[test]
    fn an_included_answer_is_hidden() {
        let shown = hole(SOURCE, "2.2").unwrap();
        assert!(
            shown.starts_with("/// The chain ID of a")
                && shown.contains("\n#[must_use]\npub fn chain")
                && shown.ends_with("\n}"),
            "{shown}"
        );
        let hidden = hide_answers(&SOURCE.replace("        todo\n", "        the answer\n"));
        assert!(
            hidden.contains("below it\n        todo!(\"exercise 2.2, chain_id: name the layer and all below it\")\n"),
            "{hidden}"
        );
        assert!(!hidden.contains("the answer"));
    }

    #[test]
    fn an_exercise_is_found_in_its_source() {
        let place = Place {
            file: PathBuf::new(),
            function: "Digest::chain".to_owned(),
            task: "The chain ID of a `Layer`.\n\n*Errors*\nNone.".to_owned(),
            hole: "exercise 2.2, chain_id: name the layer and all below it".to_owned(),
        };
        assert_eq!(find(SOURCE, "2.2"), Some(place));
        assert_eq!(find(SOURCE, "2"), None);
    }
}

//! The marks in a source: `// exercise: 2.2 chain_id: what is to be done` … `// end exercise`.

use anyhow::{Result, bail};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// `2.3`: the third exercise of chapter 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub chapter: u32,
    pub number: u32,
}

impl FromStr for Id {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('.').map(|(chapter, number)| (chapter.parse(), number.parse())) {
            Some((Ok(chapter), Ok(number))) => Ok(Self { chapter, number }),
            _ => bail!("{text:?} is no exercise; they are called 1.1, 1.2, …"),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.chapter, self.number)
    }
}

/// One marked place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub id: Id,
    pub name: String,
    /// What is to be done. A starter, whose `todo!()` says it, need not repeat it.
    pub task: String,
    /// The lines between the marks, from 0.
    pub body: Range<usize>,
    pub indent: String,
}

/// The places that a source marks, in their order.
///
/// # Errors
/// A mark that is not closed, not opened, or cannot be read.
pub fn find(source: &str) -> Result<Vec<Mark>> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut open: Option<Mark> = None;
    for (number, line) in source.lines().enumerate() {
        let at = number + 1;
        if let Some(rest) = line.trim_start().strip_prefix("// exercise: ") {
            if open.is_some() {
                bail!("line {at}: an exercise begins within another");
            }
            let (title, task) = rest.split_once(": ").unwrap_or((rest, ""));
            let Some((id, name)) = title.split_once(' ') else { bail!("line {at}: an exercise needs a name: {line}") };
            let indent = line[..line.len() - line.trim_start().len()].to_owned();
            open = Some(Mark {
                id: id.parse()?,
                name: name.trim().to_owned(),
                task: task.trim().to_owned(),
                body: at..at,
                indent,
            });
        } else if line.trim() == "// end exercise" {
            let Some(mut mark) = open.take() else { bail!("line {at}: the end of no exercise") };
            mark.body.end = number;
            marks.push(mark);
        }
    }
    match open {
        Some(mark) => bail!("exercise {} has no `// end exercise`", mark.id),
        None => Ok(marks),
    }
}

/// The lines between the marks.
pub fn body(source: &str, mark: &Mark) -> String {
    lines(source, mark.body.clone())
}

/// The source with other lines between the marks.
pub fn replace(source: &str, mark: &Mark, body: &str) -> String {
    let mut text = lines(source, 0..mark.body.start);
    for line in body.lines() {
        text += line;
        text.push('\n');
    }
    text + &lines(source, mark.body.end..usize::MAX)
}

/// The source with a hole where the exercise was.
pub fn blank(source: &str, mark: &Mark) -> String {
    let text = format!("exercise {}, {}: {}", mark.id, mark.name, mark.task).replace('"', "'").replace(['{', '}'], "");
    // At the end of a block the hole is its value; before other lines it is a statement.
    let last = source.lines().skip(mark.body.end + 1).find(|line| !line.trim().is_empty());
    let semicolon = if last.is_some_and(|line| line.trim_start().starts_with('}')) { "" } else { ";" };
    let indent = &mark.indent;
    let mut hole = format!("{indent}todo!(\"{text}\"){semicolon}\n");
    if hole.trim_end().chars().count() > 120 {
        hole = format!("{indent}todo!(\n{indent}    \"{text}\"\n{indent}){semicolon}\n");
    }
    replace(source, mark, &hole)
}

fn lines(source: &str, range: Range<usize>) -> String {
    source.split_inclusive('\n').skip(range.start).take(range.end.saturating_sub(range.start)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "fn a() -> u8 {\n    // exercise: 2.10 seven: say \"seven\"\n    let x = 7;\n    x\n    // end exercise\n}\n";

    #[test]
    fn a_marked_place_is_found_and_blanked() {
        let marks = find(SOURCE).unwrap();
        let [mark] = marks.as_slice() else { panic!("{marks:?}") };
        assert_eq!((mark.id, mark.name.as_str()), (Id { chapter: 2, number: 10 }, "seven"));
        assert_eq!(body(SOURCE, mark), "    let x = 7;\n    x\n");
        let blanked = blank(SOURCE, mark);
        assert!(blanked.contains("{\n    // exercise: 2.10 seven: say \"seven\"\n    todo!(\"exercise 2.10, seven: say 'seven'\")\n    // end exercise\n}"), "{blanked}");
        assert_eq!(replace(&blanked, &find(&blanked).unwrap()[0], &body(SOURCE, mark)), SOURCE);
    }

    #[test]
    fn before_other_lines_a_hole_is_a_statement() {
        let source = SOURCE.replace("exercise\n}", "exercise\n    b()\n}");
        assert!(blank(&source, &find(&source).unwrap()[0]).contains("'seven'\");\n"));
    }

    #[test]
    fn broken_marks_are_told() {
        for source in ["// end exercise", "// exercise: 1.1 a: b", "// exercise: 1.1", "// exercise: one a: b"] {
            assert!(find(source).is_err(), "{source}");
        }
    }
}

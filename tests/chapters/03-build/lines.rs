//! What is continued over several lines.

use build::dockerfile::{Parsed, parse};
use build::instruction::Instruction;

const LINES: &str = "Read: Dockerfile reference, \"Format\" and \"escape\"";

fn read(text: &str) -> Parsed {
    parse("Dockerfile", text.as_bytes()).unwrap_or_else(|error| panic!("{text}\nis refused: {error}\n{LINES}"))
}

/// What the ENV lines set, each as `NAME=value`.
fn variables(text: &str) -> Vec<String> {
    let all = read(text).dockerfile.stages.remove(0).steps.into_iter().filter_map(|step| match step.instruction {
        Instruction::Env(pairs) => Some(pairs),
        _ => None,
    });
    all.flatten().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn a_backslash_continues_the_line() {
    assert_eq!(
        variables("FROM alpine\nENV A=1 \\\n    B=2 \\\n    C=3\nENV D=4\n"),
        ["A=1", "B=2", "C=3", "D=4"],
        "three lines are one ENV, and the fourth, after a line without a backslash, is the next. {LINES}"
    );
    let steps = read("FROM alpine\nENV A=1 \\\n    B=2\nUSER me\n").dockerfile.stages.remove(0).steps;
    let lines: Vec<_> = steps.iter().map(|step| step.lines.clone()).collect();
    assert_eq!(
        lines,
        [2..=3, 4..=4],
        "the ENV stands on the lines 2 and 3, the USER on 4: no line is taken twice, or lost"
    );
    assert_eq!(
        variables("FROM alpine\nENV A=1 \\\n    B=2 \\"),
        ["A=1", "B=2"],
        "where the file ends, the instruction ends, whatever its last line promises"
    );
    assert_eq!(
        variables("# escape=`\nFROM alpine\nENV A=1 `\n    B=C:\\\n"),
        ["A=1", "B=C:\\"],
        "the character that continues a line is the one in `escape`: here it is `, and \\ is any other. {LINES}"
    );
}

#[test]
fn comments_and_empty_lines_do_not_end_it() {
    assert_eq!(
        variables("FROM alpine\nENV A=1 \\\n# why there is a B\n    B=2 \\\n    # and a C, \\\n    C=3\n"),
        ["A=1", "B=2", "C=3"],
        "a comment within an instruction is left out, also one with blanks before it, and also one that ends in a backslash. \
         The instruction goes on after it. {LINES}"
    );
    let parsed = read("FROM alpine\nENV A=1 \\\n\n    B=2\n");
    assert_eq!(
        parsed.dockerfile.stages[0].steps.len(),
        1,
        "an empty line does not end an instruction that goes on: B=2 belongs to the ENV. {LINES}"
    );
    let warnings: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.iter().any(|warning| warning.contains("Empty continuation line")),
        "Docker allows the empty line, and warns of it: `join` says that there was one. The warnings were {warnings:?}"
    );
    assert_eq!(read("FROM alpine\nENV A=1 \\\n# only a comment\n    B=2\n").warnings, [], "of a comment nobody warns");
}

#[test]
fn the_blanks_before_a_line_are_kept() {
    assert_eq!(
        variables("FROM alpine\nENV A=1\\\n  B=2\n"),
        ["A=1", "B=2"],
        "nothing is between `1` and the backslash: only the blanks before the B part the two words. A line is taken as it \
         is. {LINES}"
    );
    assert_eq!(
        variables("FROM alpine\nENV A=on\\\ne\n"),
        ["A=one"],
        "and where there are no blanks, the word goes on in the next line. {LINES}"
    );
}

#[test]
fn a_dockerfile_as_it_is_read() {
    let parsed = read(concat!(
        "# What the picture is of.\n",
        "FROM alpine:3.22 \\\n",
        "    AS base\n",
        "\n",
        "LABEL org.example.team=\"build\" \\\n",
        "      # who to ask\n",
        "      org.example.mail=us@example.org\n",
        "EXPOSE \\\n",
        "    80 \\\n",
        "\n",
        "    443\n",
        "ENV GREETING=\"hello \\\n",
        "world\"\n",
        "USER nobody\n",
    ));
    let stage = &parsed.dockerfile.stages[0];
    let mut listing = vec![format!("{:>5}  {}", format!("{}-{}", stage.lines.start(), stage.lines.end()), stage.text)];
    for step in &stage.steps {
        listing.push(format!("{:>5}  {}", format!("{}-{}", step.lines.start(), step.lines.end()), step.text));
        listing.push(format!("       {:?}", step.instruction));
    }
    insta::with_settings!({description => format!("(-: expected, +: yours) Each instruction with its lines in the file, as one \
        line, and what it says. {LINES}")}, {
        insta::assert_snapshot!(listing.join("\n"));
    });
}

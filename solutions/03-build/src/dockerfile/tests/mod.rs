//! The parser as a whole. What its parts do with odd input is tested beside them.

mod hostile;

use super::parse;
use crate::instruction::{Command, Instruction};

/// The instructions of a Dockerfile, one a line.
fn read(text: &str) -> String {
    let parsed = match parse("Dockerfile", text.as_bytes()) {
        Ok(parsed) => parsed,
        Err(error) => return error.to_string(),
    };
    let mut out = String::new();
    let mut say = |lines: &std::ops::RangeInclusive<usize>, what: String| {
        out.push_str(&format!("{}-{} {what}\n", lines.start(), lines.end()));
    };
    for step in &parsed.dockerfile.meta_args {
        say(&step.lines, format!("{:?}", step.instruction));
    }
    for stage in &parsed.dockerfile.stages {
        say(&stage.lines, format!("From {:?} as {:?} on {:?}", stage.from, stage.name, stage.platform));
        for step in &stage.steps {
            say(&step.lines, format!("{:?}", step.instruction));
        }
    }
    out
}

#[test]
fn every_instruction_is_read() {
    insta::assert_snapshot!(read(include_str!("every.Dockerfile")));
}

/// What a shell-form RUN is after its lines were joined.
fn run(text: &str) -> String {
    let parsed = parse("Dockerfile", format!("FROM scratch\n{text}").as_bytes()).unwrap();
    match &parsed.dockerfile.stages[0].steps[0].instruction {
        Instruction::Run(run) => match &run.command {
            Command::Shell(command) => command.clone(),
            Command::Exec(words) => panic!("exec form {words:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_go_on_after_an_escape() {
    for (text, is) in [
        ("RUN a\\\n  b", "a  b"),
        ("RUN a \\\n# comment\n   # another\n\n  b", "a   b"),
        ("RUN a \\   \nb", "a b"),
        ("RUN a \\\t\nb\\\n", "a b"),
        ("RUN a \\", "a"),
        ("RUN a \\\r\n  b\r\n", "a   b"),
        ("RUN a \\\n \\\n b\\\n\\\nc", "a   bc"),
        ("RUN a\\\\\n", "a\\\\"),
        ("   RUN a # no comment\n", "a # no comment"),
        ("\\\nRUN a", "a"),
        ("RUN a \\\nRUN b", "a RUN b"),
    ] {
        assert_eq!(run(text), is, "{text:?}");
    }
}

#[test]
fn refusals_are_dockers() {
    let refused = [
        "FROM",
        "FROM a b",
        "FROM a AS 1",
        "FROM a AS $x",
        "FROM a\nRUNN x",
        "FROM a\nfrmo x",
        "FROM a\nCOPY x",
        "FROM a\nADD",
        "FROM a\nCOPY --form=b x y",
        "FROM a\nCOPY --chown x y",
        "FROM a\nCOPY --link=maybe x y",
        "FROM a\nCOPY --link --link x y",
        "FROM a\nCOPY --from=$b x y",
        "FROM a\nCOPY a <<EOF\nEOF",
        "FROM a\nENV A",
        "FROM a\nENV",
        "FROM a\nENV A=1 B",
        "FROM a\nENV =1",
        "FROM a\nENV --x A=1",
        "FROM a\nLABEL a",
        "FROM a\nARG",
        "FROM a\nARG =1",
        "FROM a\nUSER",
        "FROM a\nEXPOSE",
        "FROM a\nVOLUME []",
        "FROM a\nVOLUME [\" \"]",
        "FROM a\nSHELL bash -c",
        "FROM a\nSHELL []",
        "FROM a\nCMD [\"a\", 1]",
        "FROM a\nHEALTHCHECK",
        "FROM a\nHEALTHCHECK CMD",
        "FROM a\nHEALTHCHECK NONE x",
        "FROM a\nHEALTHCHECK curl x",
        "FROM a\nHEALTHCHECK --interval=5 CMD a",
        "FROM a\nHEALTHCHECK --interval=1us CMD a",
        "FROM a\nHEALTHCHECK --retries=x CMD a",
        "FROM a\nHEALTHCHECK --retries=-1 CMD a",
        "FROM a\nONBUILD",
        "FROM a\nONBUILD FROM b",
        "FROM a\nONBUILD ONBUILD RUN b",
        "FROM a\nONBUILD ENV b",
        "FROM a\nRUN --security=insecure a",
        "FROM a\nRUN --security=none a",
        "FROM a\nRUN --network=some a",
        "FROM a\nRUN --device=gpu a",
        "FROM a\nRUN <<EOF\nmake",
        "RUN a",
        "ARG a",
        "# only a comment",
        "",
        "# escape=x\nFROM a",
        "# escape=\\\n# escape=\\\nFROM a",
        "# syntax=some/frontend:2\nFROM a",
        "# check=skp=x\nFROM a",
        "# check=error=maybe\nFROM a",
    ];
    let say = |text: &&str| format!("{text}\n=>\n{}\n", parse("Dockerfile", text.as_bytes()).unwrap_err());
    insta::assert_snapshot!(refused.iter().map(say).collect::<Vec<_>>().join("\n"));
}

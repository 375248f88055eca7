//! Whatever is in a file that is called Dockerfile: an answer, in bounded time and memory, and never a panic.

use super::super::{Parsed, parse, trigger};
use crate::checks::{Image, Known, with_values};
use crate::expand::{self, Args, args};
use layers::manifest::Platform;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// All that is done with a Dockerfile before a step of it is carried out.
fn all_of_it(text: &[u8]) -> Option<Parsed> {
    let parsed = parse("Dockerfile", text).ok()?;
    let host = Platform::parse("linux/amd64").unwrap();
    let given = BTreeMap::from([("A".to_owned(), "given".to_owned())]);
    let args = Args::new(&parsed, &given, args::automatic(&host, &host, "")).ok()?;
    let known = Known { args: &args, image: &|_| Image::default(), ignored: &|path| path.len() == 1 };
    // A place outside of the file would be a panic where the lines are shown.
    for warning in parsed.warnings.iter().chain(&with_values(&parsed, &known)) {
        assert!(parsed.source.excerpt(&warning.lines).contains(">>>"), "{warning}");
    }
    for stage in &parsed.dockerfile.stages {
        let _ = args.base(stage, &parsed);
        for step in &stage.steps {
            let _ = expand::instruction(&step.instruction, &|name| args.global(name), parsed.directives.escape);
        }
    }
    Some(parsed)
}

/// Pieces that have a meaning somewhere.
const PIECES: [&str; 64] = [
    "FROM",
    "RUN",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "LABEL",
    "ONBUILD",
    "HEALTHCHECK",
    "CMD",
    "EXPOSE",
    "VOLUME",
    "SHELL",
    "from",
    "AS",
    "as",
    "NONE",
    "scratch",
    "a",
    "b=c",
    "A=$A",
    "$A",
    "${A:-b}",
    "${A#*}",
    "${A/",
    "${",
    "}",
    "$",
    "\\",
    "`",
    "'",
    "\"",
    "<<EOF",
    "<<-EOF",
    "<<'E F'",
    "EOF",
    "E F'",
    "<<",
    "<",
    "[",
    "]",
    "[\"a\"]",
    "[1]",
    "[[",
    "{",
    "--",
    "--from=b",
    "--mount=type=cache",
    ",target=$A",
    "--mount=",
    "--chown=",
    "=",
    " ",
    " ",
    "\t",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "# ",
    "# escape=`\n",
    "# check=skip=all\n",
    "é",
    "\u{a0}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_in_any_order_are_answered(pieces in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        all_of_it(text.as_bytes());
        all_of_it(format!("FROM a\n{text}").as_bytes());
    }

    #[test]
    fn any_text_is_answered(text in "\\PC*", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        all_of_it(text.as_bytes());
        all_of_it(&bytes);
        let _ = trigger(&text, &(1..=1));
        let _ = expand::word(&text, &|_| Some(text.clone()), '\\');
        let _ = expand::words(&format!("${{A#{text}}}${{A//{text}}}"), &|_| Some(text.clone()), '`');
    }

    #[test]
    fn a_dockerfile_with_a_few_other_bytes_is_answered(places in proptest::collection::vec(any::<(u16, u8, bool)>(), 1..8)) {
        let mut text = include_bytes!("every.Dockerfile").to_vec();
        for (place, byte, insert) in places {
            let place = usize::from(place) % text.len();
            match byte {
                // Also pieces of it twice, or not at all.
                250.. => drop(text.drain(place..(place + 40).min(text.len()))),
                240.. => text.extend_from_within(place..),
                _ if insert => text.insert(place, byte),
                _ => text[place] = byte,
            }
        }
        all_of_it(&text);
    }
}

/// Reads it, and sees to it that this does not take long (the tests are not optimised).
fn quickly(text: &str) -> Result<Parsed, String> {
    let begin = Instant::now();
    let result = parse("Dockerfile", text.as_bytes()).map_err(|error| error.to_string());
    all_of_it(text.as_bytes());
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?} for {}…", begin.elapsed(), &text[..60]);
    result
}

#[test]
fn what_is_too_large_is_refused() {
    let line = format!("FROM a\nRUN {}\n", "x".repeat(65_600));
    let error = quickly(&line).unwrap_err();
    assert!(error.ends_with("dockerfile line greater than max allowed size of 65535"));
    assert!(quickly(&format!("FROM a\nRUN {}\n", "x".repeat(65_531))).is_ok());
    let file = quickly(&format!("FROM a\n{}", "# comment\n".repeat(1_000_000))).unwrap_err();
    assert_eq!(file, "the Dockerfile (Dockerfile) has more than 4194304 bytes");
    let many = quickly(&format!("FROM a\n{}", "CMD\n".repeat(1_000_000))).unwrap_err();
    assert!(many.ends_with("the Dockerfile has more than 10000 instructions"));
    let stages = quickly(&"FROM a\n".repeat(1001)).unwrap_err();
    assert!(stages.ends_with("the Dockerfile has more than 1000 stages"));
}

#[test]
fn what_is_deep_or_long_takes_no_longer_than_its_bytes() {
    let ends = [
        ("CMD ", "[", 60_000),
        ("CMD ", "[\"a\", ", 600_000),
        ("ONBUILD ", "ONBUILD ", 500_000),
        ("ENV A=", "${A:-", 800_000),
        ("ENV A=", "\"$A\"", 1_000_000),
        ("RUN ", "<<A ", 500),
        ("COPY ", "<<A ", 500_000),
        ("ENV ", "A=$A ", 800_000),
        ("ENV A=", "$x", 500_000),
        ("FROM ", "$x", 2_000_000),
        ("COPY ", "--x=y ", 600_000),
        ("RUN ", "--mount=type=bind ", 200_000),
        ("RUN --mount=type=bind", ",x", 2_000_000),
        ("ARG ", "x ", 2_000_000),
        ("LABEL ", "\\", 4_000_000),
        ("EXPOSE ", "1 ", 2_000_000),
    ];
    for (head, part, times) in ends {
        // Over many lines: each is short, and all of them are one.
        let mut text = format!("FROM a\n{head}");
        for i in 0..times {
            text.push_str(part);
            if i % 1000 == 999 {
                text.push_str("\\\n");
            }
        }
        text.truncate(1 << 20);
        let _ = quickly(&text);
    }
}

#[test]
fn variables_that_grow_are_stopped() {
    let doubling = "ARG A=x\n".to_owned() + &"ARG A=$A$A\n".repeat(9000) + "FROM a\n";
    let parsed = quickly(&doubling).unwrap();
    let error = Args::new(&parsed, &BTreeMap::new(), []).unwrap_err().to_string();
    assert!(error.ends_with("a variable of a process may have 131072"), "{error}");
    let many: String = (0..9000).map(|i| format!("ARG A{i}=$A\n")).collect();
    let parsed = quickly(&format!("ARG A={}\n{many}FROM a\n", "x".repeat(60_000))).unwrap();
    let error = Args::new(&parsed, &BTreeMap::new(), []).unwrap_err().to_string();
    assert!(error.ends_with("the ARGs before the first FROM have more than 16777216 bytes"), "{error}");
    let stage = many.replace("ARG", "ENV");
    assert!(quickly(&format!("FROM a\nENV A={}\n{stage}", "x".repeat(60_000))).is_ok());
    let chain: String = (0..999).map(|i| format!("FROM s{i} AS s{}\nENV E{i}=$nothing$E0\n", i + 1)).collect();
    assert!(quickly(&chain.replacen("FROM s0 ", "FROM a ", 1)).is_ok());
}

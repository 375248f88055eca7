//! The two forms of a command.

use build::dockerfile::parse;
use build::instruction::{Command, Instruction};
use build::recipe::command_line;
use layers::image::Config;

const FORMS: &str = "Read: Dockerfile reference, \"Shell and exec form\"";

/// What the command after CMD is, or why the Dockerfile is refused.
fn command(text: &str) -> Result<Command, String> {
    let parsed = parse("Dockerfile", format!("FROM alpine\nCMD {text}\n").as_bytes());
    match parsed.map(|parsed| parsed.dockerfile.stages[0].steps[0].instruction.clone()) {
        Ok(Instruction::Cmd(command)) => Ok(command),
        Ok(other) => panic!("a CMD became {other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_list_of_strings_is_executed_as_it_is() {
    for (text, words) in [
        (r#"["echo", "hello world"]"#, &["echo", "hello world"] as &[&str]),
        (r#"["sh", "-c", "echo $HOME, all of it"]"#, &["sh", "-c", "echo $HOME, all of it"]),
        (r#"["a\"b", "tab\there"]"#, &["a\"b", "tab\there"]),
        (r#"["/app"]"#, &["/app"]),
        (" [  \"/app\"  ]  ", &["/app"]),
    ] {
        let expected = Command::Exec(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(
            command(text),
            Ok(expected),
            "CMD {text} is a list of strings in JSON: the exec form. Nobody looks at blanks, commas or dollars within its \
             words: no shell ever sees them. {FORMS}"
        );
    }
}

#[test]
fn what_only_looks_like_a_list_is_for_the_shell() {
    for (text, why) in [
        ("echo \"hello world\"", "there is no list"),
        (
            "['echo', 'hi']",
            "strings in JSON have double quotes; so this is a command for the shell (and not a good one)",
        ),
        ("[ -f /etc/motd ] && cat /etc/motd", "`[` is a program, too: test(1)"),
        ("[\"echo\", \"hi\"] | cat", "the list is not all of it"),
        ("[\"echo\", \"hi\",]", "JSON allows no comma at the end"),
        ("{\"echo\": \"hi\"}", "an object is no list"),
    ] {
        assert_eq!(
            command(text),
            Ok(Command::Shell(text.to_owned())),
            "CMD {text}: {why}. Whatever is no list in JSON is the shell form, and the shell gets it as it is written. {FORMS}"
        );
    }
}

#[test]
fn a_list_of_anything_else_is_refused() {
    for text in [r#"["sleep", 5]"#, r#"["echo", ["a"]]"#, r#"["echo", null]"#, "[true]"] {
        // The Dockerfile is shown above it.
        let read = command(text).map_err(|error| error.lines().last().unwrap_or_default().to_owned());
        assert_eq!(
            read,
            Err("when using JSON array syntax, arrays must be comprised of strings only".to_owned()),
            "CMD {text} is JSON, but not all in it are strings: nobody can have meant that, and a shell that got it would \
             complain about something else, at run time. NOT_STRINGS are Docker's own words for it. {FORMS}"
        );
    }
}

#[test]
fn what_a_container_will_execute() {
    let shown = |text: &str| match command(text) {
        Ok(command) => format!("CMD {text}\n    {:?}\n", command_line(&Config::default(), &command)),
        Err(error) => format!("CMD {text}\n    {}\n", error.lines().last().unwrap_or_default()),
    };
    let all = ["echo hello", r#"["echo", "hello"]"#, "echo $HOME", r#"["echo", "$HOME"]"#, "['echo', 'hello']", "[1]"];
    insta::with_settings!({description => format!("(-: expected, +: yours) Each CMD, and the words that a container executes. \
        The shell form is one word for /bin/sh -c; it alone knows $HOME, and it is process 1. {FORMS}")}, {
        insta::assert_snapshot!(all.map(shown).concat());
    });
}

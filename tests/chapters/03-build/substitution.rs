//! `${NAME:-word}` and its kin.

use build::expand;

const TABLE: &str = "Read: POSIX, Shell Command Language, 2.6.2 \"Parameter Expansion\"; Dockerfile reference, \"Environment \
    replacement\"";

/// What a word becomes where NAME is worth this.
fn word(text: &str, value: Option<&str>) -> String {
    let lookup = |name: &str| value.filter(|_| name == "NAME").map(str::to_owned);
    match expand::word(text, &lookup, '\\') {
        Ok(expanded) => format!("{:?}", expanded.text),
        Err(error) => error.to_string(),
    }
}

#[test]
fn unset_empty_and_set() {
    let mut table = format!("{:14}{:30}{:30}{}", "", "NAME is not set", "NAME is empty", "NAME is \"value\"");
    for operator in ["-", ":-", "+", ":+"] {
        let text = format!("${{NAME{operator}word}}");
        let [unset, empty, set] = [None, Some(""), Some("value")].map(|value| word(&text, value));
        table += &format!("\n{text:14}{unset:30}{empty:30}{set}");
    }
    insta::with_settings!({description => format!("(-: expected, +: yours) What is said, and what it becomes. + is no default: \
        it gives the word where there is a value, and nothing where there is none. With a colon, an empty value counts as \
        none. {TABLE}")}, {
        insta::assert_snapshot!(table);
    });
}

#[test]
fn a_default_stands_in() {
    assert_eq!(
        word("alpine:${NAME:-3.22}", None),
        "\"alpine:3.22\"",
        "FROM alpine:${{NAME:-3.22}} builds on 3.22 unless somebody says otherwise. {TABLE}"
    );
    assert_eq!(word("alpine:${NAME:-3.22}", Some("edge")), "\"alpine:edge\"", "what is set counts before the default");
    assert_eq!(word("${OTHER:-${NAME:-inner}}", None), "\"inner\"", "a default may have one of its own");
    assert_eq!(
        word("server${NAME:+-}${NAME}", Some("debug")),
        "\"server-debug\"",
        "with + a separator is there only where something follows it"
    );
    assert_eq!(
        word("server${NAME:+-}${NAME}", Some("")),
        "\"server\"",
        "and where nothing follows, there is none. {TABLE}"
    );
}

#[test]
fn what_is_required_is_told_by_name() {
    for (text, value, expected) in [
        ("${NAME?}", Some(""), "\"\""),
        ("${NAME:?}", Some("value"), "\"value\""),
        ("${NAME?say which}", None, "NAME: say which"),
        ("${NAME:?say which}", Some(""), "NAME: say which"),
        ("${NAME?}", None, "NAME: is not allowed to be unset"),
        ("${NAME:?}", None, "NAME: is not allowed to be unset"),
        ("${NAME:?}", Some(""), "NAME: is not allowed to be empty"),
    ] {
        let found = word(text, value);
        assert!(
            found.ends_with(expected),
            "{text} where NAME is {value:?} is {expected}, but it was {found}. Whoever builds has to learn what to give, and \
             by what name. {TABLE}"
        );
    }
}

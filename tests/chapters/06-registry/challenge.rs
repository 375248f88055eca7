//! `WWW-Authenticate`.

use registry::challenge::{Challenge, parse};

fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> Challenge {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Challenge { scheme: scheme.to_owned(), parameters }
}

#[test]
fn a_registry_says_where_tokens_are() {
    let header =
        r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
    let expected = challenge(
        "bearer",
        &[
            ("realm", "https://auth.docker.io/token"),
            ("service", "registry.docker.io"),
            ("scope", "repository:a/b:pull,push"),
        ],
    );
    assert_eq!(parse(header), [expected], "the comma within quotes is part of the scope");
}

#[test]
fn names_are_in_any_case_and_values_need_no_quotes() {
    let expected = challenge("basic", &[("realm", "Registry"), ("charset", "UTF-8")]);
    assert_eq!(parse("BASIC Realm=Registry , CHARSET=\"UTF-8\""), [expected]);
}

#[test]
fn a_backslash_takes_the_next_character_as_it_is() {
    assert_eq!(parse(r#"Basic realm="a \"b\", \\c""#), [challenge("basic", &[("realm", r#"a "b", \c"#)])]);
}

#[test]
fn several_challenges_stand_in_one_header() {
    let found = parse(r#"Negotiate, Basic realm="a, b", Bearer realm="https://auth/token",service=x"#);
    let expected = [
        challenge("negotiate", &[]),
        challenge("basic", &[("realm", "a, b")]),
        challenge("bearer", &[("realm", "https://auth/token"), ("service", "x")]),
    ];
    assert_eq!(found, expected, "a word without = after it begins the next challenge");
}

#[test]
fn what_makes_no_sense_is_no_challenge() {
    for header in ["", " , ", "=", "realm=x", "\"quoted\""] {
        assert_eq!(parse(header), [], "{header:?}");
    }
    assert_eq!(parse(r#"Basic realm="never closed"#), [challenge("basic", &[])], "a value that does not end is none");
}

//! 6.2: `WWW-Authenticate`.

use super::expect::expect;
use registry::challenge::{Challenge, parse};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

const READ: &str = "Read: RFC 9110, section 11.6.1, \"WWW-Authenticate\".";

/// What `parse` makes of it, if it ends. One that goes round for ever may fill the memory meanwhile, so it gets little time.
fn parsed(header: &str) -> Vec<Challenge> {
    let (tell, told) = channel();
    let text = header.to_owned();
    let parsing = thread::spawn(move || tell.send(parse(&text)));
    match told.recv_timeout(Duration::from_secs(3)) {
        Ok(challenges) => challenges,
        Err(RecvTimeoutError::Timeout) => panic!(
            "\nexpected: `parse` comes to an end\nfound:    it goes round for ever\nof `WWW-Authenticate: {header}`: each round has to \
             leave less of the header than it found. {READ}\n"
        ),
        Err(RecvTimeoutError::Disconnected) => match parsing.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => unreachable!("it has told nothing, and did not panic"),
        },
    }
}

/// A line for each challenge: `basic realm="here"`.
fn told(header: &str) -> String {
    let challenges = parsed(header);
    let line = |challenge: &Challenge| {
        let parameters = challenge.parameters.iter().map(|(name, value)| format!(" {name}=<{value}>"));
        challenge.scheme.clone() + &parameters.collect::<String>()
    };
    match challenges.is_empty() {
        true => "no challenge".to_owned(),
        false => challenges.iter().map(line).collect::<Vec<_>>().join(" | "),
    }
}

#[track_caller]
fn check(header: &str, expected: &str, why: &str) {
    expect(
        told(header),
        expected.to_owned(),
        &format!("of `WWW-Authenticate: {header}` (each value in < >): {why}. {READ}"),
    );
}

#[test]
fn a_registry_says_where_tokens_are() {
    check(
        r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
        "bearer realm=<https://auth.docker.io/token> scope=<repository:a/b:pull,push> service=<registry.docker.io>",
        "a scheme and three parameters; the comma within quotes is part of the scope",
    );
}

#[test]
fn names_are_in_any_case_and_values_need_no_quotes() {
    let why = "whoever looks for `basic` and `realm` finds them however they were written";
    check("BASIC Realm=Registry , CHARSET=\"UTF-8\"", "basic charset=<UTF-8> realm=<Registry>", why);
    check("Basic realm = \"here\"", "basic realm=<here>", "there may be spaces on both sides of the `=`");
}

#[test]
fn a_backslash_takes_the_next_character_as_it_is() {
    let why = "what is in quotes may have quotes in it; `split_value` knows how";
    check(r#"Basic realm="a \"b\", \\c", charset=x"#, r#"basic charset=<x> realm=<a "b", \c>"#, why);
}

#[test]
fn several_challenges_stand_in_one_header() {
    check(
        r#"Negotiate, Basic realm="a, b", Bearer realm="https://auth/token",service=x"#,
        "negotiate | basic realm=<a, b> | bearer realm=<https://auth/token> service=<x>",
        "a word without `=` behind it begins the next challenge, whose parameters are its own; a client takes one that it knows",
    );
}

#[test]
fn what_makes_no_sense_is_no_challenge() {
    for header in ["", " , ", "=", "realm=x", "\"quoted\"", "=x, Basic realm=y"] {
        check(header, "no challenge", "a parameter needs a challenge before it, and nothing is made up");
    }
    let why = "a value that does not end is none, and nothing can follow it; what was understood until then stays";
    check(r#"Basic realm="never closed, Bearer realm=x"#, "basic", why);
    check(r#"Basic realm=a, charset="never closed"#, "basic realm=<a>", why);
}

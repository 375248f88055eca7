//! `${…}`.

use crate::compose::interpolate::{Fault, Variables, substitute};

const READ: &str = "Read: compose-spec, \"Interpolation\"; dash(1), \"Parameter Expansion\".";

/// `set` is "value", `empty` is empty, and nothing else is set.
fn variables() -> Variables {
    [("set", "value"), ("empty", "")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn put_in(text: &str) -> Result<String, Fault> {
    substitute(text, &variables(), &mut |_| {})
}

#[test]
fn every_form_with_a_variable_that_is_set_empty_and_unset() {
    let missing = |text: &str| Err(Fault::Missing(text.into(), "why".into()));
    for (form, set, empty, unset) in [
        ("${x}", Ok("value"), Ok(""), Ok("")),
        ("${x-word}", Ok("value"), Ok(""), Ok("word")),
        ("${x:-word}", Ok("value"), Ok("word"), Ok("word")),
        ("${x+word}", Ok("word"), Ok("word"), Ok("")),
        ("${x:+word}", Ok("word"), Ok(""), Ok("")),
        ("${x?why}", Ok("value"), Ok(""), Err(())),
        ("${x:?why}", Ok("value"), Err(()), Err(())),
    ] {
        for (name, expected) in [("set", set), ("empty", empty), ("unset", unset)] {
            let text = form.replace('x', name);
            let expected = expected.map(str::to_owned).or_else(|()| missing(name));
            assert_eq!(put_in(&text), expected, "{text}: this is {form} of a variable that is {name}. {READ}");
        }
    }
}

#[test]
fn words_have_variables_themselves() {
    for (text, expected, why) in [
        ("${unset:-${empty:-$set}}!", "value!", "a word may have a word within it"),
        ("${unset:-a${set}b}", "avalueb", "a variable may be a part of the word"),
        ("${set:+{\"a\": 1}}", "{\"a\": 1}", "braces in a word belong together"),
        ("${unset:-a:-b?c+d}", "a:-b?c+d", "the first operator is the one; the rest is the word's"),
        ("${set-a}${set?a}", "valuevalue", "without a colon it is the same for who has a value"),
    ] {
        assert_eq!(put_in(text).as_deref(), Ok(expected), "{text}: {why}. {READ}");
    }
}

#[test]
fn a_word_that_is_not_used_is_not_looked_at() {
    for (text, expected) in
        [("${set:-${gone:?never}}", "value"), ("${empty:+${gone:?never}}", ""), ("${set?$}", "value")]
    {
        assert_eq!(
            put_in(text).as_deref(),
            Ok(expected),
            "{text}: nobody needs `gone` here, so it is no error that it is missing. {READ}"
        );
    }
    assert_eq!(
        put_in("${unset:?${set} is needed}"),
        Err(Fault::Missing("unset".into(), "value is needed".into())),
        "the word of an error is used as well. {READ}"
    );
}

#[test]
fn two_dollars_are_one_and_are_no_variable() {
    assert_eq!(put_in("$$set $${set} $$$set").as_deref(), Ok("$set ${set} $value"));
}

#[test]
fn what_is_no_variable_is_refused_with_the_whole_text() {
    for text in ["a $", "a ${", "a ${}", "a ${set", "a $1", "a ${1}", "a ${set!x}", "a ${set:}", "a ${ set }"] {
        assert_eq!(
            put_in(text),
            Err(Fault::Format(text.to_owned())),
            "{text}: this is no variable in any form. {READ}"
        );
    }
}

#[test]
fn who_has_no_value_is_told() {
    let mut told = Vec::new();
    substitute("$a ${b} ${c:-d} ${e:+f} $set", &variables(), &mut |name| told.push(name.to_owned())).unwrap();
    assert_eq!(told, ["a", "b"], "only those are told that have no value and of which the text says nothing. {READ}");
}

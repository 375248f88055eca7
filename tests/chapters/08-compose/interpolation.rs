//! `${…}`.

use crate::compose::interpolate::{Fault, Variables, substitute};

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
            assert_eq!(put_in(&text), expected, "{text}: {form} when the variable is {name}");
        }
    }
}

#[test]
fn words_have_variables_themselves() {
    assert_eq!(put_in("${unset:-${empty:-$set}}!").as_deref(), Ok("value!"));
    assert_eq!(put_in("${unset:-a${set}b}").as_deref(), Ok("avalueb"));
    assert_eq!(put_in("${set:+{\"a\": 1}}").as_deref(), Ok("{\"a\": 1}"), "braces in a word belong together");
    assert_eq!(put_in("${set:-${gone:?never}}").as_deref(), Ok("value"), "a word that is not used is not looked at");
    assert_eq!(put_in("${unset:-a:-b?c+d}").as_deref(), Ok("a:-b?c+d"), "the first operator is the one");
}

#[test]
fn two_dollars_are_one_and_are_no_variable() {
    assert_eq!(put_in("$$set $${set} $$$set").as_deref(), Ok("$set ${set} $value"));
}

#[test]
fn what_is_no_variable_is_refused_with_the_whole_text() {
    for text in ["a $", "a ${", "a ${}", "a ${set", "a $1", "a ${1}", "a ${set!x}", "a ${set:}", "a ${ set }"] {
        assert_eq!(put_in(text), Err(Fault::Format(text.to_owned())), "{text}");
    }
}

#[test]
fn who_has_no_value_is_told() {
    let mut told = Vec::new();
    substitute("$a ${b} ${c:-d} ${e:+f} $set", &variables(), &mut |name| told.push(name.to_owned())).unwrap();
    assert_eq!(told, ["a", "b"], "only those of which the text says nothing");
}

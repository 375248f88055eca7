//! The language of variables and quotes, case by case. Where a shell would do the same, `sh` was asked; where not, BuildKit.

use super::{shown, word, words};

/// `X` is not set.
fn value(name: &str) -> Option<String> {
    let value = match name {
        "A" => "one",
        "EMPTY" => "",
        "TWO" => "two  words",
        "PAD" => " a b ",
        "PATH" => "/usr/local/bin:/usr/bin",
        "FILE" => "/srv/app.tar.gz",
        "LINES" => "a\nb",
        "STAR" => "a*b?c\\d",
        "KANJI" => "日本語",
        _ => return None,
    };
    Some(value.to_owned())
}

/// What a word becomes, or the reason why it becomes nothing.
fn becomes(text: &str) -> String {
    match word(text, &value, '\\') {
        Ok(expanded) => expanded.text,
        Err(error) => format!("! {}", error.to_string().split_once(": ").unwrap().1),
    }
}

#[test]
fn quotes_and_escapes() {
    for (text, is) in [
        ("plain", "plain"),
        ("a'b'c", "abc"),
        ("'a\\b'", "a\\b"),
        ("'a'\\''b'", "a'b"),
        ("\"a\\b\"", "a\\b"),
        ("\"a\\\"b\"", "a\"b"),
        ("\"a\\\\b\"", "a\\b"),
        ("\"it's\"", "it's"),
        ("'\"'", "\""),
        ("a\\tb", "atb"),
        ("a\\ b", "a b"),
        ("a\\", "a"),
        ("a\\\\", "a\\"),
        ("", ""),
        ("''", ""),
        ("日'本'\\語", "日本語"),
        ("'a", "! unexpected end of statement while looking for matching single-quote"),
        ("\"a", "! unexpected end of statement while looking for matching double-quote"),
        ("\"a\\\"", "! unexpected end of statement while looking for matching double-quote"),
    ] {
        assert_eq!(becomes(text), is, "{text}");
    }
}

#[test]
fn variables() {
    for (text, is) in [
        ("$A", "one"),
        ("${A}", "one"),
        ("x$A.y", "xone.y"),
        ("$Ax", ""),
        ("${A}x", "onex"),
        ("\"$A\"", "one"),
        ("'$A'", "$A"),
        ("\\$A", "$A"),
        ("\\\\$A", "\\one"),
        ("\"\\$A\"", "$A"),
        ("\\${A}", "${A}"),
        ("$X|$EMPTY|", "||"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("$.", "$."),
        ("\"$\"", "$"),
        ("$KANJI", "日本語"),
        // What a shell calls its own is never set here.
        ("$1x", "x"),
        ("$12x", "x"),
        ("$$A", "A"),
        ("$@x$?y$#z$!", "xyz"),
        ("${1:-a}${@:-b}", "ab"),
        ("${}", "! syntax error: bad substitution"),
        ("${:x}", "! syntax error: bad substitution"),
        ("${{A}}", "! syntax error: bad substitution"),
        ("${A", "! syntax error: missing '}'"),
        ("${", "! syntax error: missing '}'"),
        ("${.}", "! unsupported modifier (.) in substitution"),
        ("${A}}", "one}"),
    ] {
        assert_eq!(becomes(text), is, "{text}");
    }
}

#[test]
fn defaults_alternatives_and_what_is_required() {
    for (text, is) in [
        ("${X:-d}|${EMPTY:-d}|${A:-d}", "d|d|one"),
        ("${X-d}|${EMPTY-d}|${A-d}", "d||one"),
        ("${X:+d}|${EMPTY:+d}|${A:+d}", "||d"),
        ("${X+d}|${EMPTY+d}|${A+d}", "|d|d"),
        ("${A:?}|${A?}|${EMPTY?}", "one|one|"),
        ("${X:-}", ""),
        ("${X:-$A}|${X:-${A}s}", "one|ones"),
        ("${X:-${Y:-${Z:-deep}}}", "deep"),
        ("${X:-'}'}|${X:-\\}}", "}|}"),
        ("${X:-\"a b\"}", "a b"),
        ("${X:-a b}", "a b"),
        ("\"${X:-'q'}\"", "q"),
        ("${X:-\\$A}", "$A"),
        ("${X?}", "! X: is not allowed to be unset"),
        ("${X:?}", "! X: is not allowed to be unset"),
        ("${EMPTY:?}", "! EMPTY: is not allowed to be empty"),
        ("${X?give it}", "! X: give it"),
        ("${EMPTY:?no $A}", "! EMPTY: no one"),
        ("${A:=d}", "! unsupported modifier (:=) in substitution"),
        ("${A=d}", "! unsupported modifier (=) in substitution"),
        ("${A:}", "! unsupported modifier (:}) in substitution"),
        ("${A:-d", "! syntax error: missing '}'"),
        ("${A:-'d}", "! syntax error: missing '}'"),
    ] {
        assert_eq!(becomes(text), is, "{text}");
    }
}

#[test]
fn patterns() {
    for (text, is) in [
        ("${FILE#/}|${FILE#x}", "srv/app.tar.gz|/srv/app.tar.gz"),
        ("${FILE##*/}|${FILE#*/}", "app.tar.gz|srv/app.tar.gz"),
        ("${FILE%.*}|${FILE%%.*}", "/srv/app.tar|/srv/app"),
        ("${FILE%/*}", "/srv"),
        ("${A#?}|${A%?}|${A#}|${A##*}", "ne|on|one|"),
        ("${A#$A}|${A%${X:-e}}", "|on"),
        ("${X#a}|${X/a/b}", "|"),
        ("${STAR#a\\*}|${STAR%\\\\d}|${STAR/\\?/!}", "b?c\\d|a*b?c|a*b!c\\d"),
        ("${KANJI#?}|${KANJI%?}", "本語|日本"),
        ("${PATH/usr/opt}|${PATH//usr/opt}", "/opt/local/bin:/usr/bin|/opt/local/bin:/opt/bin"),
        ("${PATH//\\//_}", "_usr_local_bin:_usr_bin"),
        ("${PATH/:*/}", "/usr/local/bin"),
        ("${A//?/x}|${A//o*/x}|${A/z/x}", "xxx|x|one"),
        ("${A//n/$A}", "oonee"),
        ("${LINES#*b}|${LINES/a*/x}", "a\nb|x\nb"),
        ("${A:#x}", "! unsupported modifier (:#) in substitution"),
        ("${A#\\x}", "! invalid pattern (\\x) in substitution: invalid escape '\\x'"),
        ("${A/x}", "! syntax error: missing '/' in ${}"),
        ("${A/x/y", "! syntax error: missing '}'"),
    ] {
        assert_eq!(becomes(text), is, "{text}");
    }
}

#[test]
fn words_are_cut_where_nothing_protects_the_blank() {
    for (text, are) in [
        ("a b", &["a", "b"][..]),
        ("  a   b  ", &["a", "b"]),
        ("'a b' c", &["a b", "c"]),
        ("a\\ b", &["a b"]),
        ("$TWO", &["two", "words"]),
        ("\"$TWO\"", &["two  words"]),
        ("x$TWO", &["xtwo", "words"]),
        ("x${PAD}y", &["x", "a", "b", "y"]),
        ("\"x $PAD\"y", &["x  a b y"]),
        ("80${X:-8 9}0", &["808", "90"]),
        ("''", &[]),
        ("$EMPTY $X", &[]),
    ] {
        assert_eq!(words(text, &value, '\\').unwrap().0, are, "{text}");
    }
}

#[test]
fn names_are_told_apart_by_whether_they_are_set() {
    let expanded = word("$A ${EMPTY:-$Y} ${X:+$TWO} '$Z' \\$Q ${FILE%$W}", &value, '\\').unwrap();
    assert_eq!(expanded.used.into_iter().collect::<Vec<_>>(), ["A", "EMPTY", "FILE", "TWO"]);
    assert_eq!(expanded.unmatched.into_iter().collect::<Vec<_>>(), ["W", "X", "Y"]);
}

#[test]
fn another_escape() {
    assert_eq!(word("C:\\a`$A `\\", &value, '`').unwrap().text, "C:\\a$A \\");
    assert_eq!(word("\"`\"\\\"", &value, '`').unwrap().text, "\"\\");
}

#[test]
fn progress_shows_what_is_known() {
    for (text, is) in [
        ("RUN echo $A $X \"$A\" '$A'", "RUN echo one $X \"one\" '$A'"),
        ("RUN echo ${X:-$A} ${X} ${X#a*} ${X//a/b}", "RUN echo ${X:-one} ${X} ${X#a*} ${X//a/b}"),
        ("RUN it's $A", "RUN it's $A"),
        ("copy\t$A", "COPY\tone"),
        ("run", "RUN"),
    ] {
        assert_eq!(shown(text, &value, '\\'), is);
    }
}

#[test]
fn what_grows_without_end_is_stopped() {
    let nested = "${X:-".repeat(100_000);
    assert_eq!(becomes(&nested), "! substitutions are nested more than 64 deep");
    let deep = format!("{}x{}", "${X:-".repeat(60), "}".repeat(60));
    assert_eq!(becomes(&deep), "x");
    let large = |_: &str| Some("x".repeat(1 << 20));
    let error = word(&"$A".repeat(17), &large, '\\').unwrap_err().to_string();
    assert!(error.ends_with("the values of its variables have more than 16777216 bytes"), "{error}");
    let replaced = word(&format!("${{A//x/{}}}", "y".repeat(100)), &large, '\\').unwrap_err().to_string();
    assert!(replaced.ends_with("the value would have more than 16777216 bytes"), "{replaced}");
    let hard = word(&format!("${{A#{}}}", "*x".repeat(1000)), &large, '\\').unwrap_err().to_string();
    assert!(hard.ends_with("its pattern is too long for its value"), "{hard}");
    assert!(word(&"'".repeat(100_001), &value, '\\').unwrap_err().to_string().len() < 1200);
}

//! 5.1: `-v` is taken apart.

use super::expect::expect;
use volumes::short::parts;

const READ: &str = "Read: docs.docker.com/reference/cli/docker/container/run, \"Mount volume (-v)\".";

fn told(text: &str) -> String {
    match parts(text) {
        Ok((source, target, mode)) => format!("source {source:?}, target {target:?}, mode {mode:?}"),
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn one_two_or_three_parts() {
    for (text, expected) in [
        ("/data", "source \"\", target \"/data\", mode \"\""),
        ("my-volume:/data", "source \"my-volume\", target \"/data\", mode \"\""),
        ("/srv:/data", "source \"/srv\", target \"/data\", mode \"\""),
        ("my-volume:/data:ro", "source \"my-volume\", target \"/data\", mode \"ro\""),
        ("/srv:/data:ro,rshared", "source \"/srv\", target \"/data\", mode \"ro,rshared\""),
    ] {
        expect(told(text), expected.to_owned(), &format!("of `-v {text}`. {READ}"));
    }
}

#[test]
fn what_people_type() {
    let typed = [
        "/data",
        "my-volume:/data",
        "/srv:/data",
        "/srv:/data:ro",
        "my-volume:/data:ro,nocopy",
        "data:ro",
        ":/data",
        "my-volume:/data:readonly",
        "/c:/users:/data:ro",
    ];
    let lines = typed.map(|text| format!("-v {text:<26} {}", told(text)));
    insta::with_settings!({description => format!("(-: expected, +: yours) What people type after -v, and what is read. {READ}")}, {
        insta::assert_snapshot!(lines.join("\n"));
    });
}

#[test]
fn a_mode_is_no_target() {
    for text in ["my-volume:ro", "/data:rw", "/data:nocopy", "my-volume:"] {
        let why = format!(
            "`-v {text}` has a mode for its second part (an empty one says nothing, and is one, too). A volume without a name \
             has no mode; and whoever typed this has forgotten a part. {READ}"
        );
        expect(told(text), format!("refused: invalid volume specification: '{text}'"), &why);
    }
    let why = "the second part is a path here: no mode begins with a slash, and `rosé` is none either";
    expect(told("ro:/ro"), "source \"ro\", target \"/ro\", mode \"\"".to_owned(), why);
    expect(told("x:rosé"), "source \"x\", target \"rosé\", mode \"\"".to_owned(), why);
}

#[test]
fn what_has_no_source_too_many_parts_or_no_mode_is_refused() {
    for text in ["", ":/data", ":/data:ro", "a:/b:ro:z", "a:b:c:d:e"] {
        let why = format!("`-v {text}` has an empty first part, or more than three. {READ}");
        expect(told(text), format!("refused: invalid volume specification: '{text}'"), &why);
    }
    for (text, mode) in [("my-volume:/data:readonly", "readonly"), ("/a:/b:ro,rw", "ro,rw")] {
        let why = "the third part must be a mode (`is_mode`); the error names that part, not the whole text";
        expect(told(text), format!("refused: invalid mode: {mode}"), why);
    }
}

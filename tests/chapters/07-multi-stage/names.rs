//! Which stage a name means.

use multi_stage::names::stage;

const FROM: &str = "Read: Dockerfile reference, \"COPY --from\" and \"FROM\"";

/// As of the Dockerfile `FROM … AS base`, `FROM …`, `FROM … AS app`, `FROM … AS base`.
const NAMES: [Option<&str>; 4] = [Some("base"), None, Some("app"), Some("base")];

fn found(from: &str) -> Option<usize> {
    stage(from, &NAMES).unwrap_or_else(|error| {
        panic!(
            "--from={from} is a name like any other, and no reason to fail, but you return the error {error:?}. {FROM}"
        )
    })
}

#[test]
fn a_name_means_the_stage_that_has_it() {
    assert_eq!(found("app"), Some(2), "the third stage says AS app, and stages are counted from 0. {FROM}");
    assert_eq!(found("APP"), Some(2), "the names of stages are kept in lower case: --from=APP is the same. {FROM}");
    assert_eq!(
        found("base"),
        Some(3),
        "two stages are called base. That is allowed (with a warning), and the last of them counts. {FROM}"
    );
}

#[test]
fn a_number_counts_the_stages() {
    assert_eq!(found("0"), Some(0), "the first stage is number 0. {FROM}");
    assert_eq!(found("1"), Some(1), "the second stage has no name: its number is the only way to say it. {FROM}");
    assert_eq!(found("3"), Some(3), "there are four stages, 0 to 3. {FROM}");
}

#[test]
fn a_number_that_no_stage_has_is_refused() {
    for from in ["4", "-1", "1000000"] {
        match stage(from, &NAMES) {
            Err(error) => assert_eq!(error.to_string(), format!("invalid stage index {from}"), "{FROM}"),
            Ok(found) => panic!(
                "--from={from} is a number, and there are four stages, 0 to 3. You take it for {found:?}; it is refused with \
                 Error::NoStage: nobody means an image called {from}. {FROM}"
            ),
        }
    }
}

#[test]
fn any_other_name_is_no_stage() {
    for from in ["alpine", "ba", "base2", "2app", "registry.example/app", ""] {
        assert_eq!(
            found(from),
            None,
            "no stage is called {from:?}: None says so, and then it is looked for among the images. {FROM}"
        );
    }
}

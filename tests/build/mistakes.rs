//! What goes wrong is told so that it can be mended, and leaves nothing behind.

use crate::place::Place;
use crate::support::Sandbox;

#[test]
fn a_command_that_fails_is_shown_with_what_it_said() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place
            .dockerfile("FROM workbench\nWORKDIR /x\nRUN echo first; \\\n    echo last words >&2; exit 3\nRUN never\n");
        let told = place.fails(&["-t", "never"]);
        let (_, shown) = told.split_once("------\n").unwrap();
        insta::with_settings!({ filters => vec![(r"(?m)^\d+\.\d+ ", "<time> ")] }, {
            insta::assert_snapshot!("a_failed_command", shown);
        });
        assert!(!sandbox.output(&["inspect", "never"]).status.success());
    });
}

#[test]
fn a_dockerfile_that_makes_no_sense_is_shown_where() {
    let sandbox = Sandbox::new();
    let place = Place::new(&sandbox);
    let cases = [
        ("unknown instruction", "FROM workbench\nCOPPY a b\nCMD x\n"),
        ("no FROM", "RUN echo a\n"),
        ("empty", ""),
        ("only a comment", "# nothing\n"),
        ("COPY of one", "FROM workbench\nCOPY a\n"),
        ("unknown flag", "FROM workbench\nRUN --frobnicate true\n"),
        ("circle", "FROM workbench AS a\nCOPY --from=b /x /\nFROM workbench AS b\nCOPY --from=a /x /\n"),
        ("no such stage", "FROM workbench\nCOPY --from=127.0.0.1:1/nope /a /b\n"),
        ("missing file", "FROM workbench\nCOPY nope /\n"),
        ("above the context", "FROM workbench\nCOPY ../outside /\n"),
        ("no such image", "FROM 127.0.0.1:1/no-such-image\n"),
        ("no such user", "FROM workbench\nUSER nobody-here\nRUN true\n"),
        ("not a program", "FROM workbench\nRUN [\"no-such-program\"]\n"),
        ("remote frontend", "# syntax=example.org/frontend\nFROM workbench\n"),
        ("bad expansion", "FROM workbench\nENV A=${B:?must be set}\n"),
    ];
    let mut all = String::new();
    for (what, text) in cases {
        place.dockerfile(text);
        let told = place.fails(&["--progress", "quiet"]);
        all += &format!("== {what}\n{told}\n");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn links_do_not_lead_out_of_the_context() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        std::fs::write(sandbox.path().join("outside"), "secret").unwrap();
        std::os::unix::fs::symlink("../outside", place.path("link")).unwrap();
        std::os::unix::fs::symlink("/etc", place.path("folder")).unwrap();
        for copied in ["link", "folder/passwd", "folder/../outside"] {
            let told = place.dockerfile(&format!("FROM workbench\nCOPY {copied} /\n")).fails(&[]);
            assert!(told.contains("not found"), "{copied}: {told}");
        }
        // A link that is copied with its folder stays the link that it is.
        place.dockerfile("FROM workbench\nCOPY . /all/\nCMD readlink /all/link\n");
        assert_eq!(place.run(&[], &[]), "../outside");
    });
}

#[test]
fn ten_megabytes_of_dockerfile() {
    let sandbox = Sandbox::new();
    let place = Place::new(&sandbox);
    place.dockerfile(&("FROM workbench\n".to_owned() + &"# a comment\n".repeat(900_000)));
    let told = place.fails(&[]);
    assert!(told.contains("ERROR: failed to solve: ") && told.len() < 10_000, "{}", &told[..500.min(told.len())]);
}

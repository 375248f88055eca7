//! What of a context a build does not see.

use std::path::Path;

use build::ignore::{FILE, Ignore};

const RULES: &str = "Read: Dockerfile reference, \".dockerignore file\"";

fn ignore(text: &str) -> Ignore {
    Ignore::parse(FILE, text.as_bytes()).unwrap()
}

fn is_hidden(text: &str, path: &str) -> bool {
    ignore(text).verdict_of(Path::new(path)).excluded
}

#[test]
fn the_last_rule_that_speaks_of_a_path_counts() {
    for (text, path, hidden, why) in [
        ("*.log", "build.log", true, "one rule, which matches"),
        ("*.log", "main.rs", false, "no rule speaks of it, so nothing hides it"),
        ("*.md\n!README.md", "README.md", false, "the exception comes after the rule, and speaks last"),
        ("!README.md\n*.md", "README.md", true, "the exception comes first, and `*.md` speaks last"),
        (
            "*.md\n!README*.md\nREADME-secret.md",
            "README-secret.md",
            true,
            "three speak of it, and the last one hides it",
        ),
        (
            "*\n!src\nsrc/*.key",
            "src/main.rs",
            false,
            "the last rule does not speak of it; of those that do, `!src` is the last",
        ),
    ] {
        assert_eq!(
            is_hidden(text, path),
            hidden,
            "with these lines:\n{text}\n{path} is {}: {why}. {RULES}",
            if hidden { "hidden" } else { "seen" }
        );
    }
}

#[test]
fn what_is_said_of_a_folder_is_said_of_all_that_is_in_it() {
    for (text, path, hidden, why) in [
        ("target", "target/debug/app", true, "`target` speaks of the folder, and so of what is two folders deeper"),
        ("target\n!target/keep", "target/keep", false, "the exception speaks of it later"),
        ("target\n!target/keep", "target/keep/a/b", false, "and of all that is in it"),
        ("target\n!target/keep\n", "target/other", true, "of this only the first rule speaks"),
        (
            "!target/keep\ntarget",
            "target/keep",
            true,
            "the rule about its folder comes last: what counts is the order of \
            the lines, not which of them is more exact",
        ),
        ("src/gen", "src", false, "what is said of something in a folder is not said of the folder"),
    ] {
        assert_eq!(
            is_hidden(text, path),
            hidden,
            "with these lines:\n{text}\n{path} is {}: {why}. {RULES}",
            if hidden { "hidden" } else { "seen" }
        );
    }
}

#[test]
fn what_a_build_sees_of_a_project() {
    let rules = "# no history, no leftovers\n.git\n**/*.log\ntarget\n!target/release/app\ndocs/*\n!docs/index.md\n";
    let paths = [
        ".git",
        ".git/config",
        "docs",
        "docs/draft.md",
        "docs/index.md",
        "npm.log",
        "src/deep/trace.log",
        "src/main.rs",
        "target",
        "target/debug/app",
        "target/release/app",
        "target/release/app.d",
    ];
    let ignore = ignore(rules);
    let seen = |path: &&str| if ignore.verdict_of(Path::new(path)).excluded { "hidden" } else { "  seen" };
    let listing: Vec<String> = paths.iter().map(|path| format!("{}  {path}", seen(path))).collect();
    insta::with_settings!({description => format!("(-: expected, +: yours) These lines:\n{rules}and what a build sees. {RULES}")}, {
        insta::assert_snapshot!(listing.join("\n"));
    });
}

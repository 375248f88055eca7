//! `.dockerignore`, held against Docker's: one tree of files, and what many ways to write it leave of it.

use super::cases::Case;
use super::docker::{dockerd, theirs};
use super::ours;
use super::sandbox::sandboxed;

const TREE: &str = r"mkdir -p src/lib/deep docs/api .git/refs 'with space' node_modules/x/node_modules/y target
touch a a.md b.md README.md README-secret.md .env .env.local src/main.rs src/lib/x.rs src/lib/x.md src/lib/deep/x.rs
touch docs/README.md docs/api/index.md .git/config .git/refs/head 'with space/f' '#hash' '!bang' 'back\slash' 'br[ack]et'
touch node_modules/x/i.js node_modules/x/node_modules/y/j.js target/out target/keep ab abc tmp.é src/.hidden";

const TEXTS: &[&str] = &[
    "",
    "a",
    "a*",
    "*",
    "**",
    "*/",
    "/*",
    "/a",
    "./a",
    "src/",
    "/src/",
    "src/../a",
    "../a",
    "..",
    ".",
    "/",
    "src/*",
    "src/**",
    "src/**/x.rs",
    "**/x.rs",
    "**/*.rs",
    "**/lib",
    "**/deep/**",
    "*/lib",
    "*/*/deep",
    "**md",
    "a**",
    "src**",
    "**/**/x.rs",
    "a?",
    "a?c",
    "?",
    "[ab]",
    "[a-b].md",
    "[^a].md",
    "tmp.?",
    "br[[]ack]et",
    "br\\[ack\\]et",
    "back\\\\slash",
    "\\#hash",
    "#hash",
    " #hash",
    "\\!bang",
    "with space",
    "  with space  ",
    "\u{feff}a",
    "a\r\nb.md\r\n",
    "\n\na\n\n",
    ".*",
    "**/.*",
    "node_modules",
    "**/node_modules",
    "*\n!a",
    "*\n!src",
    "*\n!src/lib",
    "*\n!src/lib/deep",
    "*\n!**/x.rs",
    "*\n!src/*/x.rs",
    "*\n!/src/main.rs",
    "!a\n*",
    "*.md\n!README*.md",
    "*.md\n!README*.md\nREADME-secret.md",
    "*.md\nREADME-secret.md\n!README*.md",
    "**/*.md\n!docs\ndocs/api",
    "src\n!src/lib\nsrc/lib/deep",
    "src\n!src/lib\nsrc/lib/deep\n!src/lib/deep/x.rs",
    "target\n!target/keep",
    "target/*\n!target/keep",
    "docs/**\n!docs/api/**",
    "*\n!docs/**/*.md",
    "**\n!src/main.rs",
    ".git\n!.git/refs/head",
    "Dockerfile\n.dockerignore",
    "!a",
    "! a\n*\n! b.md",
];

/// Where Debian's Docker, of 2020, does not look for exceptions in all the folders that may hold one, or takes `**` for no more
/// than folders. That was mended since.
const NEWER: [&str; 4] = ["**md", "*\n!**/x.rs", "*\n!src/*/x.rs", "*\n!docs/**/*.md"];

fn cases() -> impl Iterator<Item = Case> {
    TEXTS.iter().map(|text| Case {
        name: text,
        setup: TREE,
        dockerfile: "FROM scratch\nCOPY . /\n",
        ignore: Some(text),
        root: false,
        newer: NEWER.contains(text),
        differs: None,
    })
}

sandboxed! {
    fn what_is_left() {
        let told = |case: Case| {
            let files = ours::build(&case).unwrap();
            let names = files.iter().map(|line| line.split(' ').skip(2).collect::<Vec<_>>().join(" "));
            let names: Vec<String> = names.map(|name| name.split(" = ").next().unwrap().to_owned()).collect();
            format!("{:?}\n  {}", case.name, names.join("  "))
        };
        insta::assert_snapshot!("what_is_left", cases().map(told).collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn docker_leaves_the_same() {
    let Some(dockerd) = dockerd("docker_leaves_the_same") else { return };
    let mut differ = Vec::new();
    for case in cases().filter(|case| !case.newer) {
        // Docker refuses to build from nothing; we then copy nothing.
        let (ours, theirs) = (ours::build(&case).unwrap(), theirs(&dockerd.socket(), &case));
        if theirs.as_ref().map_or(!ours.is_empty(), |theirs| ours != *theirs) {
            differ.push(format!("# {:?}\nours:   {ours:#?}\nDocker: {theirs:#?}", case.name));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n\n"));
}

//! Takes out of an output what differs between any two runs: IDs, times, ages, the program's name, the width of columns.

/// The output as it is compared.
pub(crate) fn normal(output: &[u8], tmp: &str) -> String {
    let text = String::from_utf8_lossy(output).replace(tmp, "{tmp}");
    // A go-archive that nobody reads any more says so beside the client's own words.
    let lines = text.lines().filter(|line| !line.starts_with("time=\"") || !line.contains("tar")).map(|line| {
        let line = name_program(line);
        let line = join_columns(&line);
        line.split("  ").map(|cell| age(cell).unwrap_or_else(|| words(cell))).collect::<Vec<_>>().join("  ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn name_program(line: &str) -> String {
    let line = line.strip_prefix("kesako: ").map_or(line.to_owned(), |rest| format!("docker: {rest}"));
    let line = line.strip_prefix("\tkesako ").map_or(line.clone(), |rest| format!("\tdocker {rest}"));
    line.replace("'kesako ", "'docker ").replace("Usage:  kesako ", "Usage:  docker ")
}

/// Columns are as wide as their longest cell, and an age may be the longest.
fn join_columns(line: &str) -> String {
    let mut joined = String::new();
    for cell in line.trim_end().split("  ").map(str::trim).filter(|cell| !cell.is_empty()) {
        if !joined.is_empty() {
            joined.push_str("  ");
        }
        joined.push_str(cell);
    }
    joined
}

/// `3 seconds ago`, `Up About a minute (Paused)`, `Exited (0) 2 seconds ago`.
fn age(cell: &str) -> Option<String> {
    if let Some(before) = cell.strip_suffix(" ago") {
        let state = before.rfind(") ").map_or("", |end| &before[..end + 2]);
        return Some(format!("{state}<ago>"));
    }
    let (before, up) = match cell.strip_prefix("Up ") {
        Some(up) => ("", up),
        None => cell.split_once(" Up ").map(|(before, up)| (&cell[..=before.len()], up))?,
    };
    let note = up.find(" (").map_or("", |start| &up[start..]);
    Some(format!("{before}Up <age>{note}"))
}

fn words(cell: &str) -> String {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "-:.+_".contains(c));
    let mut normal = String::new();
    let mut rest = cell;
    while !rest.is_empty() {
        let end = rest.find(ends).unwrap_or(rest.len());
        normal.push_str(&word(&rest[..end]));
        let separators = rest[end..].find(|c| !ends(c)).map_or(rest.len(), |next| end + next);
        normal.push_str(&rest[end..separators]);
        rest = &rest[separators..];
    }
    normal
}

fn word(word: &str) -> String {
    if let Some(sentence) = word.strip_suffix('.') {
        return self::word(sentence) + ".";
    }
    let (prefix, hex) = word.split_once("sha256:").map_or(("", word), |(before, hex)| (before, hex));
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if matches!(hex.len(), 12 | 64) && is_hex(hex) {
        return format!("{prefix}<id>");
    }
    let bytes = word.as_bytes();
    if bytes.len() > 18 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' && bytes[13] == b':' {
        return "<time>".into();
    }
    word.into()
}

/// What dockerd 20.10, Debian's, says otherwise than those of today, whose words are ours.
const REWORDED: [(&str, &str); 6] = [
    ("daemon: Error processing tar file(exit status 1): ", "daemon: "),
    ("Container <id> is not running", "container <id> is not running"),
    ("daemon: Container web is paused", "daemon: container web is paused"),
    ("daemon: Invalid filter '", "daemon: invalid filter '"),
    ("daemon: no such image: nope: No such image", "daemon: No such image"),
    (
        "You cannot remove a running container <id>. Stop the container before attempting removal or force remove",
        "cannot remove container \"/site\": container is running: stop the container before removing or force remove",
    ),
];

/// The words of today.
pub(crate) fn reworded(text: &str) -> String {
    let text = match text.split_once("lstat ") {
        // Where the files of the container are on the host is nobody's business.
        Some((before, path)) => match path.split_once("/merged/") {
            Some((_, within)) => format!("{before}lstat /{within}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    };
    REWORDED.iter().fold(text, |text, (old, new)| text.replace(old, new))
}

#[test]
fn what_differs_is_taken_out_and_nothing_else() {
    let cases = [
        (
            "9f2c1d3e4a5b   box   \"sh -c 'x'\"   3 seconds ago   Up 2 seconds (Paused)   web",
            "<id>  box  \"sh -c 'x'\"  <ago>  Up <age> (Paused)  web",
        ),
        ("web Up Less than a second (Paused)", "web Up <age> (Paused)"),
        ("Exited (137) Less than a second ago", "Exited (137) <ago>"),
        ("kesako: Error: x. See 'kesako run --help'.", "docker: Error: x. See 'docker run --help'."),
        (
            "Loaded image ID: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "Loaded image ID: <id>",
        ),
        ("2026-11-21T21:06:40.123456789Z out", "<time> out"),
        ("container 0455a63bb324cb3a9255d1f62890650355de75894dfb0edab07eb3e6dcd342b1. Stop", "container <id>. Stop"),
        ("deadbeef 1.9MB /tmp/x/y", "deadbeef 1.9MB {tmp}/y"),
    ];
    for (raw, expected) in cases {
        assert_eq!(normal(raw.as_bytes(), "/tmp/x"), expected);
    }
}

//! The prefix rule, on the tables of the lesson.

use std::collections::BTreeSet;

use build::cache::Key;
use layers::Digest;

const PREFIX: &str = "Read: Docker docs, \"Build cache\"; the task in src/cache/mod.rs";

/// What was built before, and may be reused.
#[derive(Default)]
struct Cache(BTreeSet<Digest>);

impl Cache {
    /// Builds FROM a base these commands, and tells how.
    fn build(&mut self, base: &str, commands: &[&str]) -> String {
        let mut told = format!("FROM {base}\n");
        let mut parent = Digest::of(base.as_bytes());
        for command in commands {
            let mut key = Key::new(parent, "RUN");
            key.part("command", command);
            parent = key.finish();
            let cached = if self.0.insert(parent) { "built" } else { "CACHED" };
            told += &format!("{:16}{cached}\n", format!("RUN {command}"));
        }
        told
    }
}

#[test]
fn the_first_table_of_the_lesson() {
    let mut cache = Cache::default();
    let told = [
        cache.build("ubuntu", &["echo a", "echo b"]),
        cache.build("ubuntu", &["echo a", "echo poulet"]),
        cache.build("ubuntu", &["echo a", "echo b"]),
        cache.build("ubuntu", &["echo poulet", "echo a", "echo b"]),
    ];
    insta::with_settings!({description => format!("(-: expected, +: yours) Four images, one after the other. The second begins \
        like the first, so its first step is reused, up to the first difference. In the last one `echo a` and `echo b` were run \
        before, but not upon this. {PREFIX}")}, {
        insta::assert_snapshot!(told.join("\n"));
    });
}

#[test]
fn the_second_table_of_the_lesson() {
    let mut cache = Cache::default();
    let told = [cache.build("ubuntu", &["echo a", "echo b"]), cache.build("alpine", &["echo a", "echo b"])];
    insta::with_settings!({description => format!("(-: expected, +: yours) Two images with the same steps on two bases: nothing \
        is reused. What was built upon ubuntu is not what alpine would make of it. {PREFIX}")}, {
        insta::assert_snapshot!(told.join("\n"));
    });
}

#[test]
fn the_key_is_the_digest_of_these_lines() {
    let parent = Digest::of(b"base");
    let mut key = Key::new(parent, "RUN");
    assert_eq!(
        key.finish(),
        Digest::of(format!("{parent}\nRUN\n").as_bytes()),
        "a step that depends on nothing else: the key before it and its kind, a line each. {PREFIX}"
    );
    key.part("command", "make");
    key.part("ENV \"A\" \u{1b}", "1");
    let (make, one) = (Digest::of(b"make"), Digest::of(b"1"));
    // Rust's own {:?} would write the last character in another way than JSON does.
    let lines = format!("{parent}\nRUN\n{make} \"command\"\n{one} \"ENV \\\"A\\\" \\u001b\"\n");
    assert_eq!(key.finish(), Digest::of(lines.as_bytes()), "the text that is hashed is\n{lines}\n{PREFIX}");

    let copy = Key::new(parent, "COPY").finish();
    assert_ne!(copy, Key::new(parent, "RUN").finish(), "a COPY is no RUN");
}

#[test]
fn no_name_pretends_to_be_two() {
    let of = |parts: &[(&str, &str)]| {
        let mut key = Key::new(Digest::of(b"base"), "RUN");
        parts.iter().for_each(|(name, value)| key.part(*name, value));
        key.finish()
    };
    let two = of(&[("ENV A", "1"), ("ENV B", "1")]);
    let forged = format!("ENV A\"\n{} \"ENV B", Digest::of(b"1"));
    assert_ne!(
        of(&[(&forged, "1")]),
        two,
        "one part, whose name holds a newline and what looks like the next line, is not two parts: JSON writes a newline in a \
         string as \\n, and so no name can end its line. {PREFIX}"
    );
    assert_ne!(of(&[("ENV A", "2"), ("ENV B", "1")]), two, "another value");
    assert_ne!(of(&[("ENV A", "1"), ("ENV C", "1")]), two, "another name");
    assert_ne!(of(&[("ENV A", "1")]), two, "one part less");
}

//! 1.5: root's power, in pieces.

use super::expect::expect;
use process::capabilities::{Capabilities, Capability, Names, default_set, granted};

/// What an engine holds that is root on its machine, in short.
fn available() -> Capabilities {
    default_set().into_iter().chain([Capability::NetAdmin, Capability::SysAdmin, Capability::SysPtrace]).collect()
}

fn names(list: &[Capability]) -> Names {
    Names { all: false, listed: list.iter().copied().collect() }
}

fn all_and(list: &[Capability]) -> Names {
    Names { all: true, ..names(list) }
}

fn sorted(set: Capabilities) -> String {
    let mut names: Vec<_> = set.into_iter().map(|capability| capability.to_string()).collect();
    names.sort();
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}

#[track_caller]
fn expect_granted(added: &Names, dropped: &Names, wanted: Capabilities, why: &str) {
    let why = format!("{why}. Read docker-run(1), --cap-add.");
    expect(sorted(granted(added, dropped, &available())), sorted(wanted), &why);
}

#[test]
fn without_a_word_it_is_the_default_set() {
    expect_granted(&names(&[]), &names(&[]), default_set(), "A container that asks for nothing gets Docker's fourteen");
}

#[test]
fn one_more_and_one_less() {
    let mut wanted = default_set();
    wanted.insert(Capability::NetAdmin);
    wanted.remove(&Capability::Mknod);
    expect_granted(
        &names(&[Capability::NetAdmin]),
        &names(&[Capability::Mknod, Capability::SysAdmin]),
        wanted,
        "`--cap-add NET_ADMIN --cap-drop MKNOD --cap-drop SYS_ADMIN` is the default set with one more, and without one (SYS_ADMIN is not in it anyway)",
    );
    expect_granted(
        &names(&[Capability::Chown]),
        &names(&[Capability::Chown]),
        default_set(),
        "What is both added and dropped is added",
    );
}

#[test]
fn drop_all_leaves_what_is_added() {
    expect_granted(
        &names(&[Capability::NetBindService]),
        &all_and(&[]),
        [Capability::NetBindService].into(),
        "`--cap-drop ALL --cap-add NET_BIND_SERVICE` is how a careful web server is started: that one capability and no other",
    );
    expect_granted(&names(&[]), &all_and(&[Capability::Chown]), [].into(), "`--cap-drop ALL` alone leaves nothing");
}

#[test]
fn add_all_is_all_but_what_is_dropped() {
    let mut wanted = available();
    wanted.remove(&Capability::SysAdmin);
    expect_granted(
        &all_and(&[]),
        &names(&[Capability::SysAdmin]),
        wanted,
        "`--cap-add ALL --cap-drop SYS_ADMIN` is everything but that one",
    );
    expect_granted(&all_and(&[]), &all_and(&[]), available(), "Of two ALLs, that of `--cap-add` counts");
}

#[test]
fn nobody_gives_what_he_does_not_have() {
    // An engine that is itself in a container, say.
    let few: Capabilities = [Capability::Chown, Capability::Kill].into();
    for (added, option) in
        [(names(&[]), "nothing"), (names(&[Capability::NetAdmin]), "NET_ADMIN"), (all_and(&[]), "ALL")]
    {
        let why = format!(
            "The engine holds CHOWN and KILL alone. Whatever is asked for ({option}, here), no container can get more: the kernel would refuse, \
             and it would not start. Read capabilities(7), \"Capability bounding set\"."
        );
        expect(sorted(granted(&added, &names(&[]), &few)), sorted(few.clone()), &why);
    }
    let dropped = granted(&names(&[Capability::NetAdmin]), &all_and(&[]), &few);
    expect(sorted(dropped), "none".to_owned(), "Nor after `--cap-drop ALL`: the engine does not hold NET_ADMIN.");
}

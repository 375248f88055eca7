//! 1.5: root's power, in pieces.

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

fn sorted(set: Capabilities) -> Vec<String> {
    let mut names: Vec<_> = set.into_iter().map(|capability| capability.to_string()).collect();
    names.sort();
    names
}

#[track_caller]
fn expect(added: &Names, dropped: &Names, wanted: Capabilities, why: &str) {
    assert_eq!(sorted(granted(added, dropped, &available())), sorted(wanted), "{why}. Read docker-run(1), --cap-add.");
}

#[test]
fn without_a_word_it_is_the_default_set() {
    expect(&names(&[]), &names(&[]), default_set(), "a container that asks for nothing gets Docker's fourteen");
}

#[test]
fn one_more_and_one_less() {
    let mut wanted = default_set();
    wanted.insert(Capability::NetAdmin);
    wanted.remove(&Capability::Mknod);
    expect(
        &names(&[Capability::NetAdmin]),
        &names(&[Capability::Mknod, Capability::SysAdmin]),
        wanted,
        "`--cap-add NET_ADMIN --cap-drop MKNOD --cap-drop SYS_ADMIN` is the default set with one more, and without one (SYS_ADMIN is not in it anyway)",
    );
    expect(
        &names(&[Capability::Chown]),
        &names(&[Capability::Chown]),
        default_set(),
        "what is both added and dropped is added",
    );
}

#[test]
fn drop_all_leaves_what_is_added() {
    expect(
        &names(&[Capability::NetBindService]),
        &all_and(&[]),
        [Capability::NetBindService].into(),
        "`--cap-drop ALL --cap-add NET_BIND_SERVICE` is how a careful web server is started: that one capability and no other",
    );
    expect(&names(&[]), &all_and(&[Capability::Chown]), [].into(), "`--cap-drop ALL` alone leaves nothing");
}

#[test]
fn add_all_is_all_but_what_is_dropped() {
    let mut wanted = available();
    wanted.remove(&Capability::SysAdmin);
    expect(
        &all_and(&[]),
        &names(&[Capability::SysAdmin]),
        wanted,
        "`--cap-add ALL --cap-drop SYS_ADMIN` is everything but that one",
    );
    expect(&all_and(&[]), &all_and(&[]), available(), "of two ALLs, that of `--cap-add` counts");
}

#[test]
fn nobody_gives_what_he_does_not_have() {
    // An engine that is itself in a container, say.
    let few: Capabilities = [Capability::Chown, Capability::Kill].into();
    for (added, option) in
        [(names(&[]), "nothing"), (names(&[Capability::NetAdmin]), "NET_ADMIN"), (all_and(&[]), "ALL")]
    {
        assert_eq!(
            sorted(granted(&added, &names(&[]), &few)),
            sorted(few.clone()),
            "the engine holds CHOWN and KILL alone. Whatever is asked for ({option}), no container can get more: the kernel would refuse, \
             and it would not start. Read capabilities(7), \"Capability bounding set\"."
        );
    }
    let dropped = granted(&names(&[Capability::NetAdmin]), &all_and(&[]), &few);
    assert_eq!(sorted(dropped), Vec::<String>::new(), "nor after `--cap-drop ALL`");
}

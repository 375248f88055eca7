use super::*;
use engine::api::progress::Stream;

/// What is written of these events, each so many milliseconds after the one before.
fn shown(events: &[(u64, Event)]) -> String {
    let (mut now, mut out) = (Instant::now(), String::new());
    let (mut trace, mut plain) = (Trace::new(now, 10), Plain::default());
    for (after, event) in events {
        now += Duration::from_millis(*after);
        trace.told(event, now);
        plain.told(&trace, event, now, &mut out);
        if *after >= 50 {
            plain.tick(&trace, now, &mut out);
        }
    }
    trace.end(now);
    plain.end(&trace, now, &mut out);
    trace.failures(&mut out);
    out
}

fn step(id: usize, name: &str) -> Event {
    Event::Step { id, name: name.into() }
}

fn output(id: usize, text: &str) -> Event {
    Event::Output { id, stream: Stream::Stdout, text: text.into() }
}

fn done(id: usize, seconds: f64) -> Event {
    Event::Done { id, seconds }
}

#[test]
fn one_step_after_the_other() {
    let warning = Event::Warning {
        rule: "MaintainerDeprecated".into(),
        message: "Maintainer instruction is deprecated in favor of using label".into(),
        url: String::new(),
        file: "Dockerfile".into(),
        line: 2,
        text: String::new(),
    };
    let copied = |current| Event::Status { id: 1, what: "transferring context:".into(), current, total: None };
    insta::assert_snapshot!(shown(&[
        (0, step(0, "[internal] load build definition from Dockerfile")),
        (3, done(0, 0.003)),
        (0, Event::Dockerfile { file: "Dockerfile".into(), text: String::new() }),
        (0, warning),
        (0, step(1, "[internal] load build context")),
        (3, copied(20)),
        (150, copied(28)),
        (150, done(1, 0.303)),
        (0, step(2, "[1/3] FROM docker.io/library/box:latest")),
        (0, Event::Cached { id: 2 }),
        (0, done(2, 0.0)),
        (0, step(3, "[2/3] RUN make")),
        (123, output(3, "cc -o x\nhalf")),
        (1000, output(3, " a line\n")),
        (100, done(3, 1.25)),
    ]), @r"
    #1 [internal] load build definition from Dockerfile
    #1 WARN: MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)
    #1 DONE 0.0s

    #2 [internal] load build context
    #2 transferring context: 28B 0.1s
    #2 transferring context: 28B 0.3s done
    #2 DONE 0.3s

    #3 [1/3] FROM docker.io/library/box:latest
    #3 CACHED

    #4 [2/3] RUN make
    #4 0.123 cc -o x
    #4 0.123 half a line
    #4 DONE 1.2s
    ");
}

#[test]
fn steps_at_once_speak_in_turn() {
    insta::assert_snapshot!(shown(&[
        (0, step(0, "[a 1/1] RUN one")),
        (0, step(1, "[b 1/1] RUN two")),
        (0, step(2, "[c 1/1] RUN three")),
        (100, output(1, "two is heard first\n")),
        (100, output(0, "one waits\n")),
        (100, output(2, "three\n")),
        (0, done(2, 0.3)),
        (5100, Event::Begun { id: 1 }),
        (0, output(0, "until two has been silent\n")),
        (100, output(1, "two waits\n")),
        (4900, output(0, "while one speaks\n")),
        (4900, output(0, "and speaks\n")),
        (4900, output(0, "but not for ever\n")),
        (0, done(0, 20.2)),
        (0, done(1, 20.2)),
    ]), @r"
    #1 [b 1/1] RUN two
    #1 0.100 two is heard first
    #1 ...

    #2 [c 1/1] RUN three
    #2 0.300 three
    #2 DONE 0.3s

    #3 [a 1/1] RUN one
    #3 0.200 one waits
    #3 5.400 until two has been silent
    #3 10.40 while one speaks
    #3 15.30 and speaks
    #3 20.20 but not for ever
    #3 ...

    #1 [b 1/1] RUN two
    #1 5.500 two waits
    #1 ...

    #3 [a 1/1] RUN one
    #3 DONE 20.2s

    #1 [b 1/1] RUN two
    #1 DONE 20.2s
    ");
}

#[test]
fn a_failure_shows_the_last_output_and_cuts_the_others_off() {
    insta::assert_snapshot!(shown(&[
        (0, step(0, "[2/2] RUN false")),
        (0, step(1, "[x 1/1] RUN sleep 9")),
        (50, output(0, "no\nend")),
        (10, Event::Failed { id: 0, seconds: 0.1, error: "process \"/bin/sh -c false\" did not complete".into() }),
    ]), @r#"
    #1 [2/2] RUN false
    #1 0.050 no
    #1 0.050 end
    #1 ERROR: process "/bin/sh -c false" did not complete

    #2 [x 1/1] RUN sleep 9
    #2 CANCELED
    ------
     > [2/2] RUN false:
    0.050 no
    0.050 end
    ------
    "#);
}

#[test]
fn a_step_that_was_broken_off_is_not_to_blame() {
    insta::assert_snapshot!(shown(&[
        (0, step(0, "[2/2] RUN sleep")),
        (50, output(0, "tired\n")),
        (10, Event::Failed { id: 0, seconds: 0.1, error: "context canceled".into() }),
    ]), @r"
    #1 [2/2] RUN sleep
    #1 0.050 tired
    #1 CANCELED
    ");
}

#[test]
fn a_flood_is_heard_at_once() {
    let flood = "x".repeat(ROOM) + "\n";
    let steps = [(0, step(0, "a")), (0, step(1, "b")), (0, output(0, "first\n"))];
    let out = shown(&[&steps[..], &[(0, output(1, &flood)), (0, output(0, "after\n"))]].concat());
    assert!(out.contains("#1 ...\n\n#2 b\n#2 0.000 xxx"), "{}", &out[..100]);
}

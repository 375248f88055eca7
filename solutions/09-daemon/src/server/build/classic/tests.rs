use super::*;

fn plan() -> Event {
    let stage = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Event::Plan {
        meta_args: vec!["ARG V=1".into()],
        stages: vec![
            stage(&["FROM box AS one", "ENV A=b", "RUN echo hello", "LABEL x=y"]),
            stage(&["FROM box", "COPY --from=one /a /b", "CMD [\"cat\"]"]),
        ],
    }
}

fn id(stage: usize, instruction: usize) -> String {
    format!("sha256:{stage}{instruction}{}", "0".repeat(62))
}

fn reached(stage: usize, instruction: usize, id: Option<usize>) -> Event {
    Event::Reached { stage, instruction, id }
}

fn made(stage: usize, instruction: usize) -> Event {
    Event::Made { stage, instruction, image: id(stage, instruction) }
}

fn output(id: usize, stream: Stream, text: &str) -> Event {
    Event::Output { id, stream, text: text.into() }
}

/// What a client shows of it, the names of containers replaced.
fn shown(events: Vec<Event>, is_known: bool) -> String {
    let known = move |_: &str| is_known;
    let mut classic = Classic::new(&known);
    let mut lines: Vec<Progress> = events.into_iter().flat_map(|event| classic.tell(event)).collect();
    lines.extend(classic.end(&Built { id: id(1, 2) }, &["t".into(), "docker.io/library/u:v".into()]));
    let mut out = String::new();
    for line in lines {
        match (line.stream, line.aux) {
            (Some(text), None) => out += &text,
            (None, Some(Aux::Built(built))) => out += &format!("<aux {}>\n", &built.id[..10]),
            other => panic!("{other:?}"),
        }
    }
    for place in 0..7 {
        out = out.replace(&classic.container(place), "<container>");
    }
    out.replace('\x1b', "<esc>")
}

#[test]
fn a_first_build_whose_stages_mix() {
    let events = vec![
        plan(),
        reached(1, 0, None),
        made(1, 0),
        reached(0, 0, None),
        made(0, 0),
        reached(0, 1, None),
        made(0, 1),
        reached(0, 2, Some(7)),
        Event::Begun { id: 7 },
        output(7, Stream::Stdout, "hello\n"),
        reached(1, 1, Some(8)),
        output(7, Stream::Stderr, "err\n"),
        made(0, 2),
        Event::Begun { id: 8 },
        made(1, 1),
        reached(0, 3, None),
        made(0, 3),
        reached(1, 2, None),
        made(1, 2),
        Event::Warning {
            rule: String::new(),
            message: "One or more build-args [x] were not consumed".into(),
            url: String::new(),
            file: String::new(),
            line: 0,
            text: String::new(),
        },
    ];
    insta::assert_snapshot!(shown(events, false), @r#"
    Step 1/8 : ARG V=1
    Step 2/8 : FROM box AS one
     ---> 000000000000
    Step 3/8 : ENV A=b
     ---> Running in <container>
    Removing intermediate container <container>
     ---> 010000000000
    Step 4/8 : RUN echo hello
     ---> Running in <container>
    hello
    <esc>[91merr
    <esc>[0mRemoving intermediate container <container>
     ---> 020000000000
    Step 5/8 : LABEL x=y
     ---> Running in <container>
    Removing intermediate container <container>
     ---> 030000000000
    <aux sha256:030>
    Step 6/8 : FROM box
     ---> 100000000000
    Step 7/8 : COPY --from=one /a /b
     ---> 110000000000
    Step 8/8 : CMD ["cat"]
     ---> Running in <container>
    Removing intermediate container <container>
     ---> 120000000000
    <aux sha256:120>
    [Warning] One or more build-args [x] were not consumed
    Successfully built 120000000000
    Successfully tagged t:latest
    Successfully tagged u:v
    "#);
}

#[test]
fn a_second_build_uses_the_cache_also_where_there_is_nothing_to_keep() {
    let events = || {
        vec![
            plan(),
            reached(0, 0, None),
            made(0, 0),
            reached(0, 1, None),
            made(0, 1),
            reached(0, 2, Some(7)),
            Event::Cached { id: 7 },
            made(0, 2),
            reached(0, 3, None),
            made(0, 3),
            reached(1, 0, None),
            made(1, 0),
            reached(1, 1, Some(8)),
            Event::Cached { id: 8 },
            made(1, 1),
            reached(1, 2, None),
            made(1, 2),
        ]
    };
    insta::assert_snapshot!(shown(events(), true), @r#"
    Step 1/8 : ARG V=1
    Step 2/8 : FROM box AS one
     ---> 000000000000
    Step 3/8 : ENV A=b
     ---> Using cache
     ---> 010000000000
    Step 4/8 : RUN echo hello
     ---> Using cache
     ---> 020000000000
    Step 5/8 : LABEL x=y
     ---> Using cache
     ---> 030000000000
    <aux sha256:030>
    Step 6/8 : FROM box
     ---> 100000000000
    Step 7/8 : COPY --from=one /a /b
     ---> Using cache
     ---> 110000000000
    Step 8/8 : CMD ["cat"]
     ---> Using cache
     ---> 120000000000
    <aux sha256:120>
    Successfully built 120000000000
    Successfully tagged t:latest
    Successfully tagged u:v
    "#);
    // Another CMD makes another image.
    let new = shown(events(), false);
    assert!(new.contains("Step 8/8 : CMD [\"cat\"]\n ---> Running in <container>\n"), "{new}");
}

#[test]
fn what_runs_is_heard_while_it_runs() {
    let known = |_: &str| false;
    let mut classic = Classic::new(&known);
    let mut tell = |event| classic.tell(event).into_iter().filter_map(|line| line.stream).collect::<String>();
    assert_eq!(tell(plan()), "Step 1/8 : ARG V=1\n");
    tell(reached(0, 0, None));
    tell(made(0, 0));
    assert_eq!(tell(reached(0, 1, None)), "Step 3/8 : ENV A=b\n");
    tell(made(0, 1));
    tell(reached(0, 2, Some(7)));
    let begun = tell(Event::Begun { id: 7 });
    assert!(begun.contains(" ---> 010000000000\nStep 4/8 : RUN echo hello\n ---> Running in "), "{begun}");
    assert_eq!(tell(output(7, Stream::Stdout, "now\n")), "now\n");
    // Events about nothing that was planned are no cause for alarm.
    assert_eq!(tell(reached(5, 0, None)) + &tell(made(0, 9)) + &tell(output(99, Stream::Stdout, "x")), "");
}

#[test]
fn a_failed_command_has_its_code() {
    let known = |_: &str| false;
    let mut classic = Classic::new(&known);
    assert_eq!(classic.failure(), None);
    let command = ["/bin/sh", "-c", "exit 3"].map(str::to_owned).to_vec();
    classic.tell(Event::Exited { id: 1, command, code: 3 });
    let message = "The command '/bin/sh -c exit 3' returned a non-zero code: 3".to_owned();
    assert_eq!(classic.failure(), Some(ErrorDetail { code: Some(3), message }));
}

#[test]
fn triggers_are_told_of_their_from() {
    let plan = Event::Plan {
        meta_args: vec![],
        stages: vec![vec!["FROM based".into(), "CMD x".into()], vec!["FROM scratch".into()]],
    };
    let triggers = Event::Triggers { stage: 0, instructions: vec!["RUN a".into(), "ENV b=c".into()] };
    let events = vec![
        plan,
        triggers,
        reached(0, 0, Some(1)),
        Event::Cached { id: 1 },
        made(0, 0),
        reached(0, 0, Some(2)),
        Event::Begun { id: 2 },
        output(2, Stream::Stdout, "triggered\n"),
        made(0, 0),
        reached(0, 0, None),
        made(0, 0),
        reached(0, 1, None),
        made(0, 1),
        reached(1, 0, None),
        made(1, 0),
    ];
    insta::assert_snapshot!(shown(events, false), @r"
    Step 1/3 : FROM based
    # Executing 2 build triggers
     ---> Running in <container>
    triggered
    Removing intermediate container <container>
     ---> Running in <container>
    Removing intermediate container <container>
     ---> 000000000000
    Step 2/3 : CMD x
     ---> Running in <container>
    Removing intermediate container <container>
     ---> 010000000000
    <aux sha256:010>
    Step 3/3 : FROM scratch
     ---> 
    <aux sha256:100>
    Successfully built 120000000000
    Successfully tagged t:latest
    Successfully tagged u:v
    ");
}

#[test]
fn the_beginning_of_an_image_that_was_there_was_there() {
    let known = |image: &str| image.starts_with("sha256:02");
    let mut classic = Classic::new(&known);
    let stage = ["FROM box", "ENV a=b", "CMD x", "LABEL new=l"].map(str::to_owned).to_vec();
    let mut events = vec![Event::Plan { meta_args: vec![], stages: vec![stage] }];
    (0..4).for_each(|at| events.extend([reached(0, at, None), made(0, at)]));
    let told: String =
        events.into_iter().flat_map(|event| classic.tell(event)).filter_map(|line| line.stream).collect();
    let fates: Vec<_> = told
        .lines()
        .filter(|line| line.contains("cache") || line.contains("Running"))
        .map(|line| &line[..10])
        .collect();
    assert_eq!(fates, [" ---> Usin", " ---> Usin", " ---> Runn"], "{told}");
}

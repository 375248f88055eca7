//! Dockerfiles, and what is planned for them: names, ways, and refusals.
#![allow(clippy::unwrap_used)]

use build::expand::Args;
use build::expand::args::automatic;
use layers::manifest::Platform;
use solution_7::plan::{Dot, Plan};
use solution_7::{Asked, Base, Graph};
use std::collections::BTreeMap;

/// What a test asks for beside its Dockerfile.
#[derive(Default)]
struct Wish {
    target: &'static str,
    build_args: BTreeMap<String, String>,
    contexts: BTreeMap<String, String>,
    triggers: Vec<(&'static str, &'static str)>,
}

impl Wish {
    fn graph(&self, text: &str) -> Result<Graph, String> {
        let parsed =
            build::dockerfile::parse("Dockerfile", text.as_bytes()).map_err(|error| format!("not read: {error}"))?;
        let triggers = |image: &str| -> Vec<String> {
            self.triggers.iter().filter(|(of, _)| *of == image).map(|(_, text)| (*text).to_owned()).collect()
        };
        let platforms = automatic(&Platform::host(), &Platform::parse("linux/arm/v7").unwrap(), self.target);
        let args = Args::new(&parsed, &self.build_args, platforms).map_err(|error| error.to_string())?;
        let asked = Asked { target: self.target, args: &args, contexts: &self.contexts, triggers: &triggers };
        Graph::new(&parsed, &asked).map_err(|error| error.to_string())
    }

    fn refused(&self, text: &str) -> String {
        self.graph(text).unwrap_err()
    }
}

fn target(target: &'static str) -> Wish {
    Wish { target, ..Wish::default() }
}

fn context(name: &str, value: &str) -> Wish {
    Wish { contexts: [(name.to_owned(), value.to_owned())].into(), ..Wish::default() }
}

/// As the last stage of a program that is tested, built for two kinds of machine, and documented.
const LARGE: &str = "\
FROM alpine AS base
RUN apk add gcc
FROM base AS program
COPY . .
RUN --mount=type=cache,target=/root/.cache make
FROM base AS tests
COPY --from=program /app /app
RUN --mount=from=busybox,target=/tools /app --test
FROM scratch AS docs
COPY doc /
FROM scratch
COPY --from=program /app /
COPY --from=docs / /doc
";

#[test]
fn a_large_one() {
    let graph = Wish::default().graph(LARGE).unwrap();
    insta::assert_snapshot!("large", Plan(&graph));
    insta::assert_snapshot!("large_dot", Dot(&graph));
    insta::assert_snapshot!("large_tests", Plan(&target("tests").graph(LARGE).unwrap()));
}

#[test]
fn the_lesson() {
    const LESSON: &str = "\
FROM alpine as first
WORKDIR /app
RUN echo foo > /app/foo.txt
RUN echo bar > /app/bar.txt
FROM alpine
WORKDIR /app
COPY --from=first /app/bar.txt /app/baz.txt
CMD ls -al /app && cat /app/baz.txt
";
    insta::assert_snapshot!("lesson", Plan(&Wish::default().graph(LESSON).unwrap()));
    for name in ["first", "FIRST", "0"] {
        insta::assert_snapshot!("lesson_first", Plan(&target(name).graph(LESSON).unwrap()));
    }
}

#[test]
fn refusals_are_buildkits() {
    let texts = [
        target("frist").refused("FROM alpine AS first\n"),
        target("1").refused("FROM alpine AS first\n"),
        target("-1").refused("FROM alpine AS first\n"),
        Wish::default().refused("FROM alpine\nCOPY --from=1 / /\n"),
        Wish::default().refused("FROM alpine\nCOPY --from=-1 / /\n"),
        Wish::default().refused("FROM alpine AS a\nCOPY --from=a / /\n"),
        Wish::default().refused("FROM alpine\nCOPY --from=0 / /\n"),
        Wish::default().refused("FROM alpine AS a\nCOPY --from=c / /\nFROM alpine AS b\nCOPY --from=a / /\nFROM alpine AS c\nCOPY --from=b / /\n"),
        // It does not matter that nobody needs them.
        Wish::default().refused("FROM alpine AS a\nCOPY --from=b / /\nFROM alpine AS b\nRUN --mount=from=a,target=/x true\nFROM scratch\n"),
        Wish::default().refused("FROM alpine AS a\nCOPY --from=b / /\nFROM alpine AS b\nFROM a\n"),
        Wish::default().refused("FROM alpine AS a\nRUN --mount=from=b,target=/x true\nFROM a AS b\n"),
        Wish::default().refused("ARG X=a\nFROM alpine AS a\nFROM alpine\nARG X\nCOPY --from=$X / /\n"),
        Wish::default().refused("FROM $NOTHING\n"),
        Wish::default().refused("FROM ${X:?is needed}\n"),
        Wish::default().refused("ARG X=${Y:?is needed}\nFROM alpine\n"),
        Wish::default().refused("FROM --platform=$NOTHING alpine\n"),
        Wish::default().refused("FROM --platform=a/b/c/d alpine\n"),
        Wish::default().refused("FROM Alpine\n"),
        Wish { triggers: vec![("alpine", "COPY --from=b / /")], ..Wish::default() }.refused("FROM alpine AS a\nFROM a AS b\n"),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_stage_below_matters_only_where_it_is_needed() {
    let text = "FROM alpine AS a\nCOPY --from=b / /\nFROM alpine AS b\n";
    assert_eq!(Wish::default().graph(text).unwrap().reached, [1].into());
    assert!(target("a").refused(text).contains("cannot copy from stage \"b\""));
}

#[test]
fn of_two_stages_of_one_name_the_last_counts_and_a_from_sees_those_above() {
    let graph = Wish::default().graph("FROM one AS a\nFROM A AS a\nFROM scratch\nCOPY --from=A / /\n").unwrap();
    assert_eq!(graph.stages[1].base, Base::Stage(0));
    assert_eq!(graph.edges(), [vec![], vec![0], vec![1]]);
    // A FROM that names one below means an image, and so does a number.
    let graph = Wish::default().graph("FROM b AS a\nFROM 0 AS b\n").unwrap();
    assert_eq!(graph.stages[0].base, Base::Image("b".into()));
    assert_eq!(graph.stages[1].base, Base::Image("0".into()));
}

#[test]
fn froms_know_the_platforms_and_the_arguments_above_them() {
    let text = "ARG A=1\nFROM --platform=$BUILDPLATFORM img:$A-$TARGETARCH$TARGETVARIANT\n";
    let graph = Wish::default().graph(text).unwrap();
    assert_eq!(graph.stages[0].base, Base::Image("img:1-armv7".into()));
    assert_eq!(graph.stages[0].platform, Some(Platform::parse(&Platform::host().to_string()).unwrap()));
    let wish = Wish { build_args: [("A".to_owned(), "2".to_owned())].into(), ..Wish::default() };
    assert_eq!(wish.graph(text).unwrap().stages[0].base, Base::Image("img:2-armv7".into()));
}

#[test]
fn triggers_of_a_base_come_first_and_may_need_further_stages() {
    let wish = Wish { triggers: vec![("app:onbuild", "COPY --from=assets /a /a")], ..Wish::default() };
    let text = "\
FROM alpine AS tools
FROM alpine AS assets
ONBUILD RUN --mount=from=tools,target=/t true
FROM assets AS inner
FROM app:onbuild AS unneeded
FROM app:onbuild
RUN own
COPY --from=inner / /
";
    let graph = wish.graph(text).unwrap();
    assert_eq!(graph.reached, [0, 1, 2, 4].into());
    let texts = |stage: usize| graph.stages[stage].steps.iter().map(|step| step.text.as_str()).collect::<Vec<_>>();
    assert_eq!([2, 4].map(|stage| graph.stages[stage].triggers), [1, 1]);
    assert_eq!(texts(4), ["COPY --from=assets /a /a", "RUN own", "COPY --from=inner / /"]);
    assert_eq!(texts(2), ["RUN --mount=from=tools,target=/t true"]);
    assert_eq!(texts(3), [""; 0], "nobody looked at it");
}

#[test]
fn a_context_takes_the_place_of_an_image_or_a_stage() {
    let text = "FROM alpine AS first\nRUN own\nFROM alpine:3\nCOPY --from=first / /\nCOPY --from=other / /\n";
    let plan = |name, value| Plan(&context(name, value).graph(text).unwrap()).to_string();
    insta::assert_snapshot!(
        [
            plan("first", "docker-image://busybox"),
            plan("first", "/folder"),
            plan("first", "docker-image://scratch"),
            plan("alpine:latest", "docker-image://busybox"),
            plan("docker.io/library/alpine:3", "/folder"),
            plan("other", "/folder"),
            // These two are what they are.
            plan("scratch", "/folder"),
            plan("context", "/folder"),
        ]
        .join("\n")
    );
}

#[test]
fn the_largest_file_takes_no_time() {
    let mut text = String::from("FROM scratch AS s0\n");
    for stage in 1..1000_usize {
        text += &format!("FROM s{} AS s{stage}\n", stage - 1);
        for from in 0..8 {
            text += &format!("COPY --from=s{} / /\n", (stage - 1).saturating_sub(from));
        }
    }
    let begun = std::time::Instant::now();
    let graph = Wish::default().graph(&text).unwrap();
    assert_eq!((graph.stages.len(), graph.reached.len()), (1000, 1000));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

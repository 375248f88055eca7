//! Each check, with a file that it is about and one that it is not.

use super::{Image, Known, violation, with_values};
use crate::dockerfile::{self, Parsed};
use crate::expand::{Args, args};
use layers::manifest::Platform;
use std::collections::BTreeMap;

fn parse(text: &str) -> Parsed {
    dockerfile::parse("Dockerfile", text.as_bytes()).unwrap()
}

/// All warnings, each as Docker prints it. `secret` is hidden by the .dockerignore, and `A=1` given.
fn warnings(text: &str) -> Vec<String> {
    let parsed = parse(text);
    let host = Platform::parse("linux/amd64").unwrap();
    let given = BTreeMap::from([("GIVEN".to_owned(), "alpine".to_owned())]);
    let args = Args::new(&parsed, &given, args::automatic(&host, &host, "")).unwrap();
    let image = |_| Image { env: vec!["PATH=/bin".to_owned(), "JAVA_HOME=/java".to_owned()], shell: false };
    let known = Known { args: &args, image: &image, ignored: &|path| path == "secret" || path.starts_with("secret/") };
    let mut all = parsed.warnings.clone();
    all.extend(with_values(&parsed, &known));
    all.sort_by_key(|warning| *warning.lines.start());
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn every_check_finds_what_it_is_about() {
    let found = warnings(
        "# check=experimental=all\n\
         # what this is for\n\
         ARG IMAGE\n\
         FROM ${IMAGE} AS Base\n\
         MAINTAINER me\n\
         ENV OLD value\n\
         ENV API_KEY=x PUBLIC_KEY=y\n\
         WORKDIR app\n\
         WORKDIR below\n\
         COPY ./secret/x \\\n\n . $PAHT\n\
         COPY --from=base secret $JAVA_HOME $IMAGE/\n\
         ADD secret https://x.example/secret $GIVEN/\n\
         EXPOSE 80/TCP 127.0.0.1:80:80 8080\n\
         CMD echo $X\n\
         CMD [\"echo\"]\n\
         From --platform=$TARGETPLATFORM x as scratch\n\
         LABEL a b\n\
         ARG GITHUB_TOKEN\n\
         from --platform=linux/arm64 base:$VERSOIN$IMAGES AS base\n\
         ENTRYPOINT a\n\
         SHELL [\"/bin/ash\"]\n\
         CMD a\n\
         from --platform=linux/arm64 x AS for-arm64\n\
         HEALTHCHECK NONE\n\
         HEALTHCHECK CMD a\n",
    );
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn what_is_well_made_is_not_told_about() {
    let none: Vec<String> = Vec::new();
    for text in [
        "ARG TAG=1\n# TAG which one\nARG TAG=2\nFROM alpine:$TAG AS base\nCOPY a b\n",
        "from alpine as base\ncopy a b\n",
        "FROM --platform=$BUILDPLATFORM golang AS build\nARG TARGETARCH\nENV GOARCH=$TARGETARCH\n",
        "FROM scratch AS a\nWORKDIR /app\nSHELL [\"x\"]\nARG v=1\nFROM a\nWORKDIR sub\nCMD x $y\nCOPY $v .\n",
        "FROM a\nARG v\nCOPY a$v .\nENV PATH=$PATH:$JAVA_HOME/bin X=\\$Y Z='$Y'\nRUN echo $UNKNOWN\n",
        "FROM a AS x\nCMD [\"a\"]\nFROM x\nCMD [\"b\"]\n",
        "FROM a\nENV password_file=1 KEY_VERSION=2 keyboard=3 monkey=4\nARG auth_FILE\n",
        "FROM a\nCOPY . .\nCOPY --from=x secret .\nCOPY secrets .\nCOPY <<secret /a\nsecret\nEXPOSE 80/tcp 90-99/udp\n",
        "FROM a\nRUN a \\\n  # a comment is no empty line\n  b\n",
        "# syntax=docker/dockerfile:1\n# check=skip=all\nFrom a as B\nMAINTAINER x\nENV a b\n",
    ] {
        assert_eq!(warnings(text), none, "{text}");
    }
}

#[test]
fn checks_can_be_left_out_for_a_file_or_for_one_instruction() {
    let lines = |text: &str| parse(text).warnings.iter().map(|w| *w.lines.start()).collect::<Vec<_>>();
    assert_eq!(lines("FROM a\nMAINTAINER a\nENV b c\n"), [2, 3]);
    assert_eq!(lines("# check=skip=MaintainerDeprecated,X\nFROM a\nMAINTAINER a\nENV b c\n"), [4]);
    assert_eq!(lines("FROM a\n# why\n# check=skip=all // for old times' sake\nMAINTAINER a\nENV b c\n"), [5]);
    assert_eq!(lines("FROM a\n# check=skip=MaintainerDeprecated\nENV b c\nMAINTAINER a\n"), [3, 4]);
    assert_eq!(lines("FROM a\n# check=nothing\nMAINTAINER a\n"), [3]);
    assert_eq!(lines("# not described\nARG a\nFROM x\n"), [0_usize; 0]);
    assert_eq!(lines("ARG b\n# check=experimental=all\n# not described\nARG a\nFROM x\n"), [4]);
}

#[test]
fn a_build_fails_on_warnings_if_it_is_asked_to() {
    let error = |text: &str| violation(&parse(text).checks.file, &parse(text).warnings);
    let text = "FROM a as b\nMAINTAINER a\nmaintainer b\n";
    assert_eq!(error(text), None);
    assert_eq!(
        error(&format!("# check=error=true\n{text}")).as_deref(),
        Some("lint violation found for rules: ConsistentInstructionCasing, FromAsCasing, MaintainerDeprecated")
    );
    assert_eq!(error(&format!("# check=skip=all;error=true\n{text}")), None);
    assert_eq!(error("# check=error=true\nFROM a\n"), None);
}

#[test]
fn a_warning_knows_the_stage_it_is_in() {
    let parsed = parse("FROM a\nMAINTAINER x\nENV a b\nFROM b\nENV a b\n");
    let stages: Vec<_> = parsed.warnings.iter().map(|warning| warning.stage).collect();
    assert_eq!(stages, [None, Some(0), Some(1)]);
}

#[test]
fn each_rule_has_a_page() {
    let warning = parse("FROM a\nMAINTAINER x\n").warnings.remove(0);
    assert_eq!(warning.rule.url(), "https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/");
    assert!(warning.rule.description().starts_with("The MAINTAINER instruction is deprecated"));
}

//! What a stage makes of the recipe, and what its commands see.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use layers::manifest::Platform;
use layers::store::FIXED_TIME;
use solution_3::stage::State;

use super::sandbox::sandboxed;
use super::site::Site;

/// Every instruction once.
const ALL: &str = r#"
ARG VERSION=1
ARG EMPTY
ENV A=1 B="two words" C=$VERSION
ENV A=$A$A
LABEL a=$A "b c"='$A'
RUN write /one first
SHELL ["/bin/bash", "-ec"]
RUN nothing
RUN ["say", "a b", "$A"]
COPY --chown=1:2 file /files/
WORKDIR /work/$VERSION
WORKDIR deeper
USER 7:8
EXPOSE 80 53/udp 90-91
VOLUME ["/data"] 
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=90s --retries=3 CMD true
MAINTAINER Me <me@x>
ONBUILD RUN nothing
ENTRYPOINT ["/app", "a\"b"]
CMD run $A
"#;

sandboxed! {
    fn every_instruction_has_its_place_in_the_recipe_and_the_history() {
        let site = Site::new();
        site.file("file", "x");
        let mut image = site.build(ALL).state().image;
        image.rootfs.diff_ids.clear();
        insta::assert_json_snapshot!(image);
    }

    fn a_command_sees_variables_folder_and_user_as_they_are_then() {
        let site = Site::new();
        site.given.borrow_mut().insert("VERSION".into(), "9".into());
        site.given.borrow_mut().insert("HTTPS_PROXY".into(), "http://p".into());
        site.given.borrow_mut().insert("UNDECLARED".into(), "u".into());
        site.build("ARG VERSION=1\nENV A=$VERSION\nWORKDIR /w\nUSER me\nRUN nothing\nENV LATER=1").state();
        let seen = site.last();
        assert_eq!(seen.args, ["/bin/sh", "-c", "nothing"]);
        assert_eq!((seen.cwd.as_str(), seen.user.as_str()), ("/w", "me"));
        let env: Vec<&str> = seen.env.iter().map(String::as_str).filter(|entry| !entry.starts_with("PATH=")).collect();
        assert_eq!(env, ["VERSION=9", "A=9", "HTTPS_PROXY=http://p", "https_proxy=http://p"]);
    }

    fn what_is_built_upon_a_stage_has_its_arguments_but_not_its_command() {
        let site = Site::new();
        let base = site.build("ARG A=1\nENV B=2\nCMD one").state();
        let above = site.build_upon(base, "RUN nothing\nENTRYPOINT two").state();
        assert!(site.last().env.contains(&"A=1".to_owned()) && site.last().env.contains(&"B=2".to_owned()));
        assert_eq!(above.image.config.cmd, None, "a new ENTRYPOINT forgets the CMD of the base");
        let told = above.image.history.iter().find(|step| step.created_by.starts_with("RUN")).unwrap();
        assert_eq!(told.created_by, "RUN |1 A=1 /bin/sh -c nothing # buildkit");
    }

    fn triggers_are_pulled_once() {
        let site = Site::new();
        let base = site.build("ONBUILD RUN write /trigger pulled\nONBUILD ENV T=1").state();
        let told = site.build_upon(base, "RUN nothing");
        assert_eq!(told.fates()[0], "[1/2] ONBUILD RUN write /trigger pulled: it was never built here");
        let above = told.state();
        assert_eq!(above.image.config.on_build, None);
        assert!(above.image.config.env.as_ref().unwrap().contains(&"T=1".to_owned()));
        assert_eq!(site.build_upon(above, "").fates().len(), 0);
    }

    fn what_changes_nothing_makes_no_layer() {
        let site = Site::new();
        let state = site.build("RUN nothing\nRUN write /a x\nRUN say hello").state();
        assert_eq!(state.blobs.len(), 1);
        let empty: Vec<bool> = state.image.history.iter().map(|step| step.empty_layer).collect();
        assert_eq!(empty, [true, false, true]);
    }

    fn what_we_write_has_one_time() {
        let site = Site::new();
        site.file("folder/file", "x");
        let time = |state: &State, path: &str| fs::symlink_metadata(site.top(state).join(path)).unwrap().mtime();
        let copied = site.build("COPY folder /a/b/").state();
        assert_eq!(["a", "a/b", "a/b/file"].map(|path| time(&copied, path)), [FIXED_TIME; 3]);
        let made = site.build_upon(copied, "WORKDIR /a/c/d").state();
        assert_eq!(["a", "a/c", "a/c/d"].map(|path| time(&made, path)), [FIXED_TIME; 3]);
        site.settings.borrow_mut().time = 5;
        let other = site.build("COPY folder /a/b/").state();
        assert_eq!((time(&other, "a/b/file"), other.image.history[0].created.as_deref()), (5, Some("1970-01-01T00:00:05Z")));
    }

    fn two_builds_of_one_context_are_one_image() {
        let build = || {
            let site = Site::new();
            site.file("a/file", "x");
            site.file("b", "y");
            std::thread::sleep(std::time::Duration::from_millis(20));
            let state = site.build("WORKDIR /w\nCOPY . .\nCOPY <<EOF /etc/text\nhello\nEOF\nCMD x").state();
            (state.image.clone(), state.blobs)
        };
        assert_eq!(build(), build());
    }

    fn a_program_that_stands_in_the_dockerfile_is_shown_to_its_command() {
        let site = Site::new();
        site.build("RUN <<PROGRAM\n#!/bin/python\nprint()\nPROGRAM").state();
        let seen = site.last();
        assert_eq!(seen.args, ["/bin/sh", "-c", "/dev/pipes/PROGRAM"]);
        assert_eq!(seen.mounts, [("/dev/pipes".to_owned(), vec!["PROGRAM".to_owned()])]);
    }

    fn scratch_is_nothing_but_a_path() {
        let state = State::scratch(Platform::host());
        assert_eq!((state.chain_id(), state.blobs.len()), (None, 0));
        assert!(state.image.config.env.unwrap()[0].starts_with("PATH=/usr/local/sbin:"));
        assert_eq!(state.image.config.working_dir, "/");
    }
}

//! Steps that fail, and what is left of a build then.

use std::fs;
use std::path::Path;

use solution_3::progress::Event;

use super::sandbox::sandboxed;
use super::site::Site;

sandboxed! {
    fn a_command_that_fails_ends_the_stage_and_what_was_before_is_kept() {
        let site = Site::new();
        let text = "RUN write /one 1\nENV A=1\nRUN say last words; write /half x; fail 3\nRUN nothing";
        let told = site.build(text);
        let words = r#"process "/bin/sh -c say last words; write /half x; fail 3" did not complete successfully: exit code: 3"#;
        assert_eq!(told.error(), words);
        let failed = told.result.as_ref().unwrap_err();
        assert_eq!((failed.lines.clone(), failed.state.blobs.len()), (4..=4, 1));
        assert!(failed.state.scope.environment().contains(&"A=1".to_owned()));
        assert!(site.top(&failed.state).join("one").exists() && !site.top(&failed.state).join("half").exists());
        let exited = |event: &&Event| matches!(event, Event::Exited { code: 3, command, .. } if command[0] == "/bin/sh");
        assert!(told.events.iter().any(|event| exited(&event)));
        assert!(told.events.iter().any(|event| matches!(event, Event::Failed { error, .. } if error == words)));
        // What went well is reused.
        let again = site.build(&text.replace("fail 3", "nothing"));
        assert!(again.fates()[0].ends_with("CACHED"), "{:?}", again.fates());
        assert_eq!(again.state().blobs.len(), 2);
    }

    fn who_cannot_run_commands_says_why() {
        assert_eq!(Site::new().build("RUN break").error(), "there is no more memory");
    }

    fn what_makes_no_sense_is_told_with_its_line() {
        for (text, why) in [
            ("EXPOSE x", "invalid containerPort: x"),
            ("STOPSIGNAL no", "invalid signal: no"),
            ("ENV A=${B:?unset}", "failed to process \"${B:?unset}\": B: unset"),
            ("COPY nothing /", "\"/nothing\": not found"),
            ("COPY --from=other / /", "other: not found"),
            ("VOLUME $EMPTY", "VOLUME specified can not be an empty string"),
        ] {
            let site = Site::new();
            let told = site.build(&format!("ENV EMPTY=\n{text}"));
            assert_eq!(told.result.as_ref().unwrap_err().lines, 3..=3, "{text}");
            assert!(told.error().contains(why), "{text}: {}", told.error());
        }
    }

    fn a_build_that_nobody_wants_any_more_ends_before_its_next_step() {
        let site = Site::new();
        site.cancel.cancel();
        assert_eq!(site.build("RUN write /a 1").error(), "context canceled");
        assert_eq!(site.player.seen.lock().unwrap().len(), 0);
    }

    fn a_secret_is_in_the_commands_environment_and_nowhere_else() {
        let site = Site::new();
        let state = site.build("RUN --mount=type=secret,id=t,env=TOKEN write /a done").state();
        assert!(site.last().env.contains(&"TOKEN=hunter2".to_owned()));
        let image = serde_json::to_string(&state.image).unwrap();
        assert!(!image.contains("hunter2"));
        assert!(!anywhere(site.root.path(), b"hunter2"), "it was written to the disk");
    }
}

/// Whether any file below a folder holds these bytes.
fn anywhere(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.file_type().unwrap() {
        kind if kind.is_dir() => anywhere(&entry.path(), bytes),
        kind if kind.is_file() => fs::read(entry.path()).unwrap().windows(bytes.len()).any(|window| window == bytes),
        _ => false,
    })
}

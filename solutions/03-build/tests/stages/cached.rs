//! The prefix rule: a step is reused if the same was done to the same.

use std::fs;
use std::time::{Duration, SystemTime};

use layers::remove::Use;

use super::sandbox::sandboxed;
use super::site::Site;

const FILE: &str = "ARG VERSION\nENV A=1\nCOPY src /src/\nRUN write /one 1\nRUN write /two 2";

fn site() -> Site {
    let site = Site::new();
    site.file("src/a", "a");
    site.file("src/b", "b");
    site
}

/// How many steps of a build were reused.
fn reused(fates: &[String]) -> usize {
    fates.iter().filter(|fate| fate.ends_with(" CACHED")).count()
}

fn nobody() -> layers::Result<Vec<Use>> {
    Ok(Vec::new())
}

sandboxed! {
    fn the_same_once_more_is_all_reused_and_the_same() {
        let site = site();
        let first = site.build(FILE).state();
        let again = site.build(FILE);
        assert_eq!(reused(&again.fates()), 3, "{:#?}", again.fates());
        let again = again.state();
        assert_eq!((first.image, first.blobs), (again.image, again.blobs));
        assert_eq!(site.player.seen.lock().unwrap().len(), 2, "no command is run again");
    }

    fn why_each_step_was_or_was_not_reused() {
        let site = site();
        let mut told = Vec::new();
        let mut build = |what: &str, text: &str| {
            let fates = site.build(text).fates();
            told.push(format!("{what}\n  {}", fates.join("\n  ")));
        };
        build("at first", FILE);
        build("the same", FILE);
        build("another command", &FILE.replace("write /two 2", "write /two 3"));
        build("a label between", &FILE.replace("RUN write /one", "LABEL x=y\nRUN write /one"));
        build("another value", &FILE.replace("A=1", "A=2"));
        build("another folder and user", &FILE.replace("RUN write /two", "WORKDIR /\nUSER me\nRUN write /two"));
        build("another shell", &FILE.replace("RUN write /two", "SHELL [\"sh\"]\nRUN write /two"));
        site.given.borrow_mut().insert("VERSION".into(), "7".into());
        build("an argument", FILE);
        site.given.borrow_mut().clear();
        let older = SystemTime::now() - Duration::from_secs(1000);
        fs::File::open(site.root.path().join("context/src/a")).unwrap().set_modified(older).unwrap();
        build("another time of a file", FILE);
        site.file("src/a", "changed");
        build("another content", FILE);
        site.file("src/c", "new");
        fs::remove_file(site.root.path().join("context/src/b")).unwrap();
        build("other files", FILE);
        build("an owner", &FILE.replace("COPY src", "COPY --chown=1 src"));
        build("one step less", "ARG VERSION\nENV A=1\nRUN write /one 1\nRUN write /two 2");
        site.settings.borrow_mut().no_cache = true;
        build("--no-cache", FILE);
        site.settings.borrow_mut().no_cache = false;
        site.settings.borrow_mut().no_cache_filter = vec!["stage-0".into()];
        build("--no-cache-filter", FILE);
        insta::assert_snapshot!(told.join("\n\n"));
    }

    fn of_many_files_folders_are_named() {
        let site = Site::new();
        for number in 0..400 {
            site.file(&format!("src/{}/{number}", number % 4), "x");
        }
        site.build("COPY . /").state();
        site.file("src/3/103", "y");
        assert_eq!(site.build("COPY . /").fates(), ["[1/1] COPY . /: folder src/3 changed"]);
    }

    fn a_record_without_its_layer_is_of_no_use() {
        let site = site();
        let first = site.build(FILE).state();
        fs::remove_dir_all(site.top(&first)).unwrap();
        let again = site.build(FILE);
        assert_eq!(reused(&again.fates()), 2);
        assert!(again.fates()[2].ends_with("it was built before, but its layer is not here any more"));
        assert_eq!(reused(&site.build(FILE).fates()), 3);
        // The collector of garbage leaves alone what is remembered.
        site.store.prune(true, &|_| true, &nobody).unwrap();
        assert_eq!(reused(&site.build(FILE).fates()), 3);
        let keys: Vec<_> = site.store.pins().list().unwrap().into_iter().map(|(key, _)| key).collect();
        assert!(site.store.unpin(&keys, &nobody).unwrap() > 0);
        assert_eq!(reused(&site.build(FILE).fates()), 0);
    }

    fn what_was_built_upon_other_layers_is_not_taken() {
        let site = Site::new();
        let text = "RUN write /random 1\nRUN write /two 2";
        site.build(text).state();
        // The first step's record is lost, and what it makes now is not what it made then.
        let (key, _) = site.store.pins().list().unwrap().into_iter()
            .find(|(key, _)| fs::read_to_string(site.store.pins().folder().join(format!("{}.json", key.hex()))).unwrap().contains("random"))
            .unwrap();
        fs::remove_file(site.store.pins().folder().join(format!("{}.json", key.hex()))).unwrap();
        site.player.seen.lock().unwrap().clear();
        let fates = site.build(text).fates();
        assert_eq!(reused(&fates), 0);
        assert_eq!(fates[1], "[2/2] RUN write /two 2: step 1 before it was built anew");
    }

    fn a_file_that_changes_while_it_is_copied_is_remembered_as_what_was_copied() {
        // What is copied is known by its content at the end, so a later build of the first content is not given the other.
        let site = Site::new();
        site.file("a", "one");
        let one = site.build("COPY a /a").state();
        site.file("a", "two");
        let two = site.build("COPY a /a").state();
        assert_ne!(one.blobs, two.blobs);
        site.file("a", "one");
        let again = site.build("COPY a /a");
        assert_eq!(reused(&again.fates()), 1);
        assert_eq!(again.state().blobs, one.blobs);
    }
}

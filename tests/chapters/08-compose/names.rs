//! What a project is called.

use crate::compose::Error;
use crate::compose::name::chosen;

const READ: &str =
    "Read: compose-spec, \"Version and name top-level elements\"; docs.docker.com, \"Specify a project name\".";

#[track_caller]
fn is_called(asked: Option<&str>, in_file: Option<&str>, folder: &str, name: &str, why: &str) {
    let found = chosen(asked, in_file, folder).map_err(|error| error.to_string());
    let whence = format!("asked for: {asked:?}, in the file: {in_file:?}, the folder's: {folder:?}");
    assert_eq!(found, Ok(name.to_owned()), "{whence}. {why} {READ}");
}

#[test]
fn who_asks_for_a_name_comes_first_and_the_folder_last() {
    is_called(None, None, "shop", "shop", "Nothing was said, so it is called as its folder.");
    is_called(None, Some("store"), "shop", "store", "The file knows better than the folder.");
    is_called(Some("test-branch1"), Some("store"), "shop", "test-branch1", "Who types -p knows best.");
    is_called(Some("a-b_1"), None, "…", "a-b_1", "What the folder is called does not matter then.");
}

#[test]
fn of_a_name_in_a_file_or_of_a_folder_what_does_not_fit_is_left_out() {
    const WHY: &str =
        "Letters become small; letters of English, digits, `-` and `_` stay, and it begins with neither of the latter.";
    for (folder, name) in
        [("My Shop!", "myshop"), ("_-a_b-", "a_b-"), ("Ünter.1", "nter1"), ("0x", "0x"), ("a b-c", "ab-c")]
    {
        is_called(None, None, folder, name, WHY);
        is_called(None, Some(folder), "other", name, WHY);
    }
}

#[test]
fn a_name_that_was_asked_for_is_taken_as_it_is_or_not_at_all() {
    for name in ["A", "a b", "-a", "_a", "a.b", "…"] {
        match chosen(Some(name), Some("store"), "shop") {
            Err(Error::ProjectName(told)) => assert_eq!(told, name, "the error names what was asked for. {READ}"),
            other => panic!(
                "`-p {name:?}` is no name of a project: to be refused with Error::ProjectName. You have {other:?}: whoever \
                 asks for one name and gets another will look for the containers in vain. {READ}"
            ),
        }
    }
}

#[test]
fn without_a_single_good_letter_there_is_no_name() {
    for (in_file, folder) in [(None, ""), (None, "…"), (None, "--"), (Some("!"), "shop")] {
        let found = chosen(None, in_file, folder);
        assert!(
            matches!(found, Err(Error::NoProjectName)),
            "in the file: {in_file:?}, the folder's: {folder:?}: nothing is left of it, which is Error::NoProjectName, and not \
             {found:?}. {READ}"
        );
    }
}

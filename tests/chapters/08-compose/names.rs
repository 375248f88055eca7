//! Projects' names.

use crate::compose::name::{checked, normalised};

#[test]
fn a_folder_gives_its_name_without_what_a_name_may_not_have() {
    for (folder, name) in
        [("shop", "shop"), ("My Shop!", "myshop"), ("_-a_b-", "a_b-"), ("Ünter.1", "nter1"), ("0x", "0x"), ("…", "")]
    {
        assert_eq!(normalised(folder), name, "{folder:?}");
    }
}

#[test]
fn a_name_that_was_given_is_taken_as_it_is_or_not_at_all() {
    assert_eq!(checked("a-b_1").unwrap(), "a-b_1");
    for name in ["A", "a b", "-a", "_a", "a.b"] {
        assert!(checked(name).is_err(), "{name:?}");
    }
}

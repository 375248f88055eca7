//! What a failed test says first.

use std::fmt::Display;

/// Fails with what was expected, what was found, and why it should not have been.
#[track_caller]
pub fn expect<T: PartialEq + Display>(found: T, expected: T, why: &str) {
    assert!(found == expected, "\nexpected: {expected}\nfound:    {found}\n{why}\n");
}

//! The order of names in which `disk10` comes after `disk9`.

use std::cmp::Ordering;

/// Compares piece by piece: runs of digits as numbers, the rest as text.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let ((first, left_rest), (second, right_rest)) = (piece(left), piece(right));
        let order = match (is_digit(first), is_digit(second)) {
            (true, true) => number(first).cmp(&number(second)),
            _ => first.cmp(second),
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    // What has nothing more comes first; and `a01` is not `a1`, though as numbers they are the same.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits, or the other characters, that a text begins with; and what follows.
fn piece(text: &str) -> (&str, &str) {
    let digits = is_digit(text);
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len()))
}

fn is_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Comparable, however long it is: without zeros before it, the longer number is the larger one.
fn number(digits: &str) -> (usize, &str) {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count() {
        let mut names = ["disk10", "disk9", "a", "disk", "disk9b", "disk09", "B", "10", "9", "disk10a"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["9", "10", "B", "a", "disk", "disk09", "disk9", "disk9b", "disk10", "disk10a"]);
    }
}

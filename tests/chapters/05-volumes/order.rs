//! 5.5: which mount comes first.

use super::expect::expect;
use volumes::in_order;

const READ: &str = "Read: mount(8), and mount_namespaces(7): a mount hides what is beneath its place.";

fn order(places: &[&'static str]) -> String {
    in_order(places.to_vec(), |place| place).join(" ")
}

#[test]
fn what_is_above_comes_before_what_is_beneath() {
    let why = format!("/data hides /data/cache if it is mounted later. {READ}");
    expect(order(&["/data/cache", "/data"]), "/data /data/cache".to_owned(), &why);
    let why = format!(
        "only the number of parts decides. The alphabet would bring /a before /z, which was asked for first, and neither is beneath \
         the other; and a long name is no deep one. {READ}"
    );
    expect(
        order(&["/z", "/a/b/c", "/longer-than-all-others", "/a/b"]),
        "/z /longer-than-all-others /a/b /a/b/c".to_owned(),
        &why,
    );
}

#[test]
fn slashes_alone_make_no_part() {
    let why = format!("`/data/` is `/data`, one part, and `/a//b` has two. {READ}");
    expect(order(&["/data/x", "/data/"]), "/data/ /data/x".to_owned(), &why);
    expect(order(&["/a//b", "/b/", "/a/b/c"]), "/b/ /a//b /a/b/c".to_owned(), &why);
}

#[test]
fn equals_stay_as_they_were() {
    let why = "none of these is beneath another, so the order in which they were asked for stays. A sort that keeps it is called stable.";
    expect(order(&["/c", "/a", "/b"]), "/c /a /b".to_owned(), why);
    expect(order(&["/x/2", "/c", "/x/1", "/a"]), "/c /a /x/2 /x/1".to_owned(), why);
}

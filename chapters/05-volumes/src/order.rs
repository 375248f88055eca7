//! Which mount comes first.

/// Puts mounts into the order in which they have to be made. `place` tells where each is to be: an absolute path.
///
/// A mount hides all that is beneath it, other mounts too. With `/data/cache` mounted first and then `/data`, nobody would find the
/// first again, though it is there. So what is above comes before what is beneath: the fewer parts a path has, the earlier. Slashes
/// at the end or two in a row make no part (`/data/` has one, as `/data`), and of two with equally many parts, the one that was asked
/// for first stays first.
///
/// A sort that leaves equals in their order is called stable; `slice::sort_by_key` is.
pub fn in_order<T>(mut mounts: Vec<T>, place: impl Fn(&T) -> &str) -> Vec<T> {
    // exercise: 5.5 in_order: what is above before what is beneath
    todo!("exercise 5.5, in_order: what is above before what is beneath")
    // end exercise
}

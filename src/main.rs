//! kesako.
fn main() {}

//! Placeholder until the floor program lands.
fn main() {}

//! (beneath)

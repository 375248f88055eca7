//! (pax)

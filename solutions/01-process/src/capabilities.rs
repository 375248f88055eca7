//! Capabilities(7).

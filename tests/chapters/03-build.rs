//! The suite of chapter 3. It needs neither root nor the network, and starts nothing: what a Dockerfile says and what a
//! build may reuse are questions of texts, files and digests.
//!
//! Each exercise has its own tests, which need no other.

#[path = "03-build/arguments.rs"]
mod arguments;
#[path = "03-build/cache.rs"]
mod cache;
#[path = "03-build/context.rs"]
mod context;
#[path = "03-build/form.rs"]
mod form;
#[path = "03-build/ignore.rs"]
mod ignore;
#[path = "03-build/lines.rs"]
mod lines;
#[path = "03-build/substitution.rs"]
mod substitution;

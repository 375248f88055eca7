//! The system calls that no crate offers safely. All `unsafe` of this crate is here and in the files beneath.

mod filter;

pub(crate) use filter::seccomp_set_filter;

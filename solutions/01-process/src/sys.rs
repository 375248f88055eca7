//! The system calls that no crate offers safely. All `unsafe` of this crate is here and in the files beneath.

mod bpf;
mod filter;

pub(crate) use bpf::{BpfInstruction, bpf_attach_device_program, bpf_load_device_program};
pub(crate) use filter::seccomp_set_filter;

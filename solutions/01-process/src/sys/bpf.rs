//! bpf(2): programs that answer for a cgroup which devices it may use.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::{Errno, Result};

/// One instruction of the BPF machine (`struct bpf_insn`, linux/bpf.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct BpfInstruction {
    code: u8,
    /// The register to change in the lower half, the one to read in the upper.
    registers: u8,
    /// Of a load from memory; or of a jump, counted from the instruction after it.
    offset: i16,
    value: i32,
}

/// What follows is named after what it does with `register`.
impl BpfInstruction {
    const fn new(code: u8, to: u8, from: u8, offset: i16, value: i32) -> Self {
        Self { code, registers: from << 4 | to, offset, value }
    }

    pub(crate) fn load_word(to: u8, address: u8, offset: i16) -> Self {
        Self::new(0x61, to, address, offset, 0) // BPF_LDX | BPF_MEM | BPF_W
    }

    pub(crate) fn copy(to: u8, from: u8) -> Self {
        Self::new(0xbc, to, from, 0, 0) // BPF_ALU | BPF_MOV | BPF_X
    }

    pub(crate) fn set(register: u8, value: i32) -> Self {
        Self::new(0xb7, register, 0, 0, value) // BPF_ALU64 | BPF_MOV | BPF_K
    }

    pub(crate) fn and(register: u8, value: i32) -> Self {
        Self::new(0x54, register, 0, 0, value) // BPF_ALU | BPF_AND | BPF_K
    }

    pub(crate) fn shift_right(register: u8, value: i32) -> Self {
        Self::new(0x74, register, 0, 0, value) // BPF_ALU | BPF_RSH | BPF_K
    }

    pub(crate) fn jump_if_equal(register: u8, value: i32) -> Self {
        Self::new(0x15, register, 0, 0, value) // BPF_JMP | BPF_JEQ | BPF_K
    }

    pub(crate) fn jump_if_not_equal(register: u8, value: i32) -> Self {
        Self::new(0x55, register, 0, 0, value) // BPF_JMP | BPF_JNE | BPF_K
    }

    pub(crate) fn exit() -> Self {
        Self::new(0x95, 0, 0, 0, 0) // BPF_JMP | BPF_EXIT
    }

    /// The same, if it is a jump, over this many instructions.
    pub(crate) fn with_jump_over(mut self, instructions: usize) -> Self {
        if matches!(self.code, 0x15 | 0x55) {
            self.offset = instructions as i16;
        }
        self
    }
}

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The beginning of `union bpf_attr` for BPF_PROG_LOAD; the kernel takes what is left out for zero.
#[repr(C)]
struct LoadAttributes {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
}

/// The same for BPF_PROG_ATTACH.
#[repr(C)]
struct AttachAttributes {
    target: u32,
    program: u32,
    attach_type: u32,
    flags: u32,
}

/// Has the kernel check and translate a device program.
pub(crate) fn bpf_load_device_program(program: &[BpfInstruction]) -> Result<OwnedFd> {
    let attributes = LoadAttributes {
        program_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        instruction_count: program.len() as u32,
        instructions: program.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
    };
    // SAFETY: the kernel reads `size_of` bytes of the attributes, and through them `instruction_count` instructions (a
    // `repr(C)` type of the kernel's layout) and a string that ends in NUL; all outlive the call, and it writes nothing.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const attributes, size_of::<LoadAttributes>()) };
    if result < 0 {
        return Err(last_error());
    }
    // SAFETY: the call has succeeded, so its result is a new file descriptor, which nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(result as i32) })
}

/// Ties a device program to a cgroup (a v2 folder), beside those that are there: all must agree.
pub(crate) fn bpf_attach_device_program(program: &OwnedFd, cgroup: BorrowedFd<'_>) -> Result<()> {
    let attributes = AttachAttributes {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        attach_type: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    // SAFETY: the kernel reads `size_of` bytes of the attributes, which outlive the call, and writes nothing.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const attributes, size_of::<AttachAttributes>()) };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

//! Which devices a container may open, whatever nodes it makes for itself (mknod is among its capabilities).
//!
//! In v2 this is a program of the kernel's BPF machine on the cgroup: the kernel runs it whenever a process of the
//! group opens or makes a device node, and it answers yes or no (bpf(2), `BPF_PROG_TYPE_CGROUP_DEVICE`). It needs no
//! controller, so it works in the empty v2 tree of a hybrid machine too. v1 has the same rules as text.

use std::os::fd::BorrowedFd;

use crate::{oci, sys};
use oci::{LinuxDeviceCgroup, LinuxDeviceType as Type};
use sys::BpfInstruction as Instruction;

/// What one may do with a device, as linux/bpf.h numbers it.
const MKNOD: i32 = 1;
const READ: i32 = 2;
const WRITE: i32 = 4;
const EVERYTHING: i32 = MKNOD | READ | WRITE;

/// The devices every container has, and none else. A node for any device may be made; it does not help to open it.
pub fn default_rules() -> Vec<LinuxDeviceCgroup> {
    let all = [
        (false, Type::A, None, None, "rwm"),
        (true, Type::C, None, None, "m"),
        (true, Type::B, None, None, "m"),
        (true, Type::C, Some(1), Some(3), "rwm"), // null
        (true, Type::C, Some(1), Some(5), "rwm"), // zero
        (true, Type::C, Some(1), Some(7), "rwm"), // full
        (true, Type::C, Some(1), Some(8), "rwm"), // random
        (true, Type::C, Some(1), Some(9), "rwm"), // urandom
        (true, Type::C, Some(5), Some(0), "rwm"), // tty
        (true, Type::C, Some(5), Some(1), "rwm"), // console
        (true, Type::C, Some(5), Some(2), "rwm"), // ptmx
        (true, Type::C, Some(136), None, "rwm"),  // the terminals of devpts
    ];
    all.into_iter().map(|(allow, typ, major, minor, access)| rule(allow, typ, major, minor, access)).collect()
}

/// A rule. Nothing for a number means every number.
pub fn rule(allow: bool, typ: Type, major: Option<i64>, minor: Option<i64>, access: &str) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(allow).set_typ(Some(typ)).set_major(major).set_minor(minor).set_access(Some(access.to_owned()));
    rule
}

/// Whether the rules leave anything to forbid; a privileged container's do not.
pub(crate) fn forbid_anything(rules: &[LinuxDeviceCgroup]) -> bool {
    let last = rules.iter().rev().find(|rule| concerns_all(rule) && access(rule) == EVERYTHING);
    last.is_none_or(|rule| !rule.allow()) || rules.last().is_some_and(|rule| !rule.allow())
}

/// Loads the rules as a program and ties it to the cgroup, for as long as that exists.
pub(crate) fn attach(cgroup: BorrowedFd<'_>, rules: &[LinuxDeviceCgroup]) -> rustix::io::Result<()> {
    let program = sys::bpf_load_device_program(&program(rules))?;
    sys::bpf_attach_device_program(&program, cgroup)
}

/// The rules in v1's words, each for one of the files `devices.deny` and `devices.allow`.
pub(crate) fn v1_lines(rules: &[LinuxDeviceCgroup]) -> Vec<(&'static str, String)> {
    rules
        .iter()
        .map(|rule| {
            let file = if rule.allow() { "devices.allow" } else { "devices.deny" };
            let number = |number: Option<i64>| number.filter(|&n| n >= 0).map_or("*".to_owned(), |n| n.to_string());
            let line = match rule.typ().unwrap_or(Type::A) {
                // «a» takes neither numbers nor accesses.
                Type::A => "a".to_owned(),
                typ => format!("{} {}:{} {}", typ.as_str(), number(rule.major()), number(rule.minor()), letters(rule)),
            };
            (file, line)
        })
        .collect()
}

/// The program. The last rule that fits decides, so they are tried from the last to the first; if none fits, the answer
/// is no.
///
/// ```text
/// type = word 0 of the context, lower half     access = its upper half     major = word 1     minor = word 2
/// for each rule:   type differs? next   ·   access not covered? next   ·   major differs? next   ·   minor differs? next   ·   return 1 or 0
/// return 0
/// ```
fn program(rules: &[LinuxDeviceCgroup]) -> Vec<Instruction> {
    const CONTEXT: u8 = 1; // the register in which the kernel passes `struct bpf_cgroup_dev_ctx`
    const TYPE: u8 = 2;
    const ACCESS: u8 = 3;
    const MAJOR: u8 = 4;
    const MINOR: u8 = 5;
    const SCRATCH: u8 = 6;
    let mut out = vec![
        Instruction::load_word(TYPE, CONTEXT, 0),
        Instruction::copy(ACCESS, TYPE),
        Instruction::and(TYPE, 0xffff),
        Instruction::shift_right(ACCESS, 16),
        Instruction::load_word(MAJOR, CONTEXT, 4),
        Instruction::load_word(MINOR, CONTEXT, 8),
    ];
    for rule in rules.iter().rev() {
        let mut tests = vec![];
        if let Some(kind) = kind(rule) {
            tests.push(Instruction::jump_if_not_equal(TYPE, kind));
        }
        match (access(rule), rule.allow()) {
            (EVERYTHING, _) => {}
            // Allowing covers a request only as a whole; forbidding any part of it forbids it.
            (covered, true) => tests.extend([
                Instruction::copy(SCRATCH, ACCESS),
                Instruction::and(SCRATCH, EVERYTHING & !covered),
                Instruction::jump_if_not_equal(SCRATCH, 0),
            ]),
            (covered, false) => tests.extend([
                Instruction::copy(SCRATCH, ACCESS),
                Instruction::and(SCRATCH, covered),
                Instruction::jump_if_equal(SCRATCH, 0),
            ]),
        }
        for (register, number) in [(MAJOR, rule.major()), (MINOR, rule.minor())] {
            if let Some(number) = number.filter(|&number| number >= 0) {
                tests.push(Instruction::jump_if_not_equal(register, number as i32));
            }
        }
        let length = tests.len();
        let always = length == 0;
        // Every jump leads past the two instructions of the answer.
        out.extend(tests.into_iter().enumerate().map(|(at, test)| test.with_jump_over(length - at - 1 + 2)));
        out.extend([Instruction::set(0, i32::from(rule.allow())), Instruction::exit()]);
        if always {
            return out; // nothing after it is ever reached, and the kernel's verifier refuses dead code
        }
    }
    out.extend([Instruction::set(0, 0), Instruction::exit()]);
    out
}

/// linux/bpf.h: 1 for a block device, 2 for a character device; nothing for either.
fn kind(rule: &LinuxDeviceCgroup) -> Option<i32> {
    match rule.typ().unwrap_or(Type::A) {
        Type::B => Some(1),
        Type::C | Type::U => Some(2),
        Type::A | Type::P => None,
    }
}

fn concerns_all(rule: &LinuxDeviceCgroup) -> bool {
    let any = |number: Option<i64>| number.is_none_or(|number| number < 0);
    kind(rule).is_none() && any(rule.major()) && any(rule.minor())
}

fn letters(rule: &LinuxDeviceCgroup) -> &str {
    rule.access().as_deref().filter(|letters| !letters.is_empty()).unwrap_or("rwm")
}

fn access(rule: &LinuxDeviceCgroup) -> i32 {
    letters(rule).chars().fold(0, |bits, letter| {
        bits | match letter {
            'r' => READ,
            'w' => WRITE,
            'm' => MKNOD,
            _ => 0,
        }
    })
}

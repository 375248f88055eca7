//! From rules to a program of the classic packet-filter machine.
//!
//! The machine has one register to compute with, jumps only forwards, and returns a verdict (seccomp(2); the
//! instructions are in linux/filter.h). One section per architecture: numbers are cut into ranges with the same
//! verdict, and a binary search finds the range, so no call takes more than a dozen instructions:
//!
//! ```text
//!       load the architecture;  is it x86_64?  no → next section
//!       load the number;        ≥ 165?  ─ no ──→  ≥ 56?  ─ no ──→ …  allow
//!                                  │                └ yes → …        is argument 0 free of CLONE_NEW…?  allow : EPERM
//!                                  └ yes → …  EPERM
//! ```
//!
//! Calls that are always allowed do not even pay that: the kernel (5.11 and later) tries every number once when the
//! filter is installed, and remembers those whose verdict never depends on an argument.

use super::syscalls::{self, Abi, Call};
use super::{Action, architectures};
use crate::{Error, oci};
use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter,
};
use oci::{LinuxSeccompArg, LinuxSeccompOperator as Operator, LinuxSyscall};

/// The longest program the kernel takes (linux/bpf_common.h).
const BPF_MAXINSNS: usize = 4096;

/// Where `struct seccomp_data` holds what a filter may look at; arguments are eight bytes each from here on.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// The numbers of the x32 ABI begin here (asm/unistd.h, `__X32_SYSCALL_BIT`).
const X32: u32 = 1 << 30;

/// A jump to wherever the current rule ends, filled in when that is known.
const NEXT_RULE: u8 = u8::MAX;

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
enum Verdict<'a> {
    /// Always this, as the value the filter returns.
    Always(u32),
    /// The first of these whose conditions hold, else the profile's default.
    Depends(Vec<(&'a [LinuxSeccompArg], u32)>),
}

/// All numbers from `start` up to the next range's.
struct Range<'a> {
    start: u32,
    verdict: Verdict<'a>,
}

/// The whole program.
pub(super) fn program(spec: &oci::LinuxSeccomp) -> Result<Vec<sock_filter>, Error> {
    let rules = by_call(check(spec)?);
    let default = spec.default_action().as_u32(spec.default_errno_ret());
    let mut out = Vec::with_capacity(512);
    out.push(load(ARCHITECTURE));
    for abi in abis(spec) {
        let ranges = ranges(&rules, default, abi);
        out.push(jump(BPF_JEQ, abi.audit_arch(), 1, 0));
        let skip = out.len();
        out.push(jump_always(0));
        out.push(load(NUMBER));
        search(&mut out, &ranges, default);
        out[skip] = jump_always(out.len() - skip - 1);
    }
    // Another architecture's numbers mean other calls: nothing can be said about them, so nothing is let through.
    out.push(answer(Action::ScmpActKillProcess.as_u32(None)));
    if out.len() > BPF_MAXINSNS {
        return Err(Error::Seccomp(format!(
            "the profile needs {} instructions, the kernel takes {BPF_MAXINSNS}",
            out.len()
        )));
    }
    Ok(out)
}

/// Refuses what cannot be compiled, and gives the rules.
fn check(spec: &oci::LinuxSeccomp) -> Result<&[LinuxSyscall], Error> {
    let rules = spec.syscalls().as_deref().unwrap_or_default();
    let mut actions = rules.iter().map(LinuxSyscall::action).chain([spec.default_action()]);
    if actions.any(|action| action == Action::ScmpActNotify) {
        return Err(Error::Seccomp("SCMP_ACT_NOTIFY needs a listener, and Kesako has none: use another action".into()));
    }
    match rules.iter().flat_map(|rule| rule.args().iter().flatten()).find(|arg| arg.index() > 5) {
        Some(arg) => Err(Error::Seccomp(format!(
            "a system call has 6 arguments, counted from 0: there is no index {}",
            arg.index()
        ))),
        None => Ok(rules),
    }
}

/// The rules call by call, without the names this machine does not know.
fn by_call(rules: &[LinuxSyscall]) -> Vec<(&'static Call, &LinuxSyscall)> {
    let mut lookup = syscalls::Lookup::default();
    let named = rules.iter().flat_map(|rule| rule.names().iter().map(move |name| (name, rule)));
    named.filter_map(|(name, rule)| Some((lookup.find(name)?, rule))).collect()
}

/// The ways into the kernel that the profile covers; without a list, the machine's own.
fn abis(spec: &oci::LinuxSeccomp) -> Vec<Abi> {
    let native = architectures()[0];
    let compat = architectures()[1];
    match spec.architectures() {
        None => vec![Abi::Native],
        Some(listed) => {
            let covers = |arch| listed.contains(&arch);
            let native = covers(native) || covers(oci::Arch::ScmpArchNative) || !covers(compat);
            let abis = [(Abi::Native, native), (Abi::Compat, covers(compat))];
            abis.into_iter().filter(|(_, covered)| *covered).map(|(abi, _)| abi).collect()
        }
    }
}

/// Cuts the numbers of one architecture into ranges, lowest first, the first starting at 0.
fn ranges<'a>(rules: &[(&Call, &'a LinuxSyscall)], default: u32, abi: Abi) -> Vec<Range<'a>> {
    let number = |(call, rule): &(&Call, &'a LinuxSyscall)| Some((call.number(abi)?, *rule));
    let mut calls: Vec<(u32, &LinuxSyscall)> = rules.iter().filter_map(number).collect();
    calls.sort_by_key(|(number, _)| *number); // stable: rules on the same call stay in order

    let mut ranges = vec![];
    let mut next = 0;
    for same in calls.chunk_by(|a, b| a.0 == b.0) {
        let number = same[0].0;
        if number > next {
            extend(&mut ranges, next, Verdict::Always(default));
        }
        extend(&mut ranges, number, verdict(same));
        next = number + 1;
    }
    // A call younger than the whole profile: EPERM would confuse the C library, which probes for new calls and falls
    // back only on ENOSYS.
    let permissive =
        [Action::ScmpActAllow, Action::ScmpActLog, Action::ScmpActTrace].map(|action| action.as_u32(Some(0)));
    let beyond = if permissive.contains(&(default & 0xffff_0000)) { default } else { errno(libc::ENOSYS) };
    extend(&mut ranges, next, Verdict::Always(beyond));
    // The x32 ABI has a second number for each call, with bit 30 set: a way around whatever a permissive profile forbids
    // by name. Kernels without it say the same.
    if cfg!(target_arch = "x86_64") && abi == Abi::Native {
        extend(&mut ranges, X32, Verdict::Always(errno(libc::ENOSYS)));
    }
    ranges
}

/// Adds a range, or lets the one before go on where the verdict is the same.
fn extend<'a>(ranges: &mut Vec<Range<'a>>, start: u32, verdict: Verdict<'a>) {
    if ranges.last().is_none_or(|last| last.verdict != verdict) {
        ranges.push(Range { start, verdict });
    }
}

/// What the rules on one call come to: one without conditions settles it, otherwise they are tried in order.
fn verdict<'a>(rules: &[(u32, &'a LinuxSyscall)]) -> Verdict<'a> {
    let mut depends = vec![];
    for (_, rule) in rules {
        let action = rule.action().as_u32(rule.errno_ret());
        match rule.args().as_deref() {
            None | Some([]) => return Verdict::Always(action),
            // Several conditions on the same argument are alternatives, on different arguments they must all hold:
            // so runc reads Docker's profiles.
            Some(args) if repeats_an_index(args) => depends.extend(args.chunks(1).map(|one| (one, action))),
            Some(args) => depends.push((args, action)),
        }
    }
    Verdict::Depends(depends)
}

fn repeats_an_index(args: &[LinuxSeccompArg]) -> bool {
    args.iter().enumerate().any(|(i, arg)| args[..i].iter().any(|earlier| earlier.index() == arg.index()))
}

/// The binary search: the upper half is jumped to, the lower half follows.
fn search(out: &mut Vec<sock_filter>, ranges: &[Range<'_>], default: u32) {
    let (lower, upper) = match ranges {
        [] => return,
        [range] => return decide(out, &range.verdict, default),
        _ => ranges.split_at(ranges.len() / 2),
    };
    let test = out.len();
    out.push(jump(BPF_JGE, upper[0].start, 0, 0));
    search(out, lower, default);
    let distance = out.len() - test - 1;
    match u8::try_from(distance) {
        Ok(distance) => out[test].jt = distance,
        // A conditional jump reaches 255 instructions, an unconditional one everything; big profiles need the second.
        Err(_) => {
            out[test].jf = 1;
            out.insert(test + 1, jump_always(distance));
        }
    }
    search(out, upper, default);
}

/// The end of the search: the verdict, after a look at the arguments where it depends on them.
fn decide(out: &mut Vec<sock_filter>, verdict: &Verdict<'_>, default: u32) {
    let rules = match verdict {
        Verdict::Always(action) => return out.push(answer(*action)),
        Verdict::Depends(rules) => rules,
    };
    for (conditions, action) in rules {
        let start = out.len();
        for condition in *conditions {
            compare(out, condition);
        }
        out.push(answer(*action));
        let end = out.len();
        for (at, instruction) in out.iter_mut().enumerate().skip(start) {
            // At most six comparisons of six instructions: the distance fits.
            let distance = (end - at - 1) as u8;
            for jump in [&mut instruction.jt, &mut instruction.jf] {
                if *jump == NEXT_RULE {
                    *jump = distance;
                }
            }
        }
    }
    out.push(answer(default));
}

/// One condition. Arguments have 64 bits and the machine 32, so it is first the upper half, then the lower. Falls
/// through when it holds, else goes on to the next rule.
fn compare(out: &mut Vec<sock_filter>, condition: &LinuxSeccompArg) {
    let low = ARGUMENTS + 8 * condition.index() as u32;
    let high = low + 4;
    let value = condition.value();
    let (value_high, value_low) = halves(value);
    match condition.op() {
        Operator::ScmpCmpEq => out.extend([
            load(high),
            jump(BPF_JEQ, value_high, 0, NEXT_RULE),
            load(low),
            jump(BPF_JEQ, value_low, 0, NEXT_RULE),
        ]),
        Operator::ScmpCmpNe => {
            out.extend([load(high), jump(BPF_JEQ, value_high, 0, 2), load(low), jump(BPF_JEQ, value_low, NEXT_RULE, 0)])
        }
        operator @ (Operator::ScmpCmpGe | Operator::ScmpCmpGt) => out.extend([
            load(high),
            jump(BPF_JGT, value_high, 3, 0),
            jump(BPF_JEQ, value_high, 0, NEXT_RULE),
            load(low),
            jump(if operator == Operator::ScmpCmpGe { BPF_JGE } else { BPF_JGT }, value_low, 0, NEXT_RULE),
        ]),
        operator @ (Operator::ScmpCmpLt | Operator::ScmpCmpLe) => out.extend([
            load(high),
            jump(BPF_JGT, value_high, NEXT_RULE, 0),
            jump(BPF_JEQ, value_high, 0, 2),
            load(low),
            jump(if operator == Operator::ScmpCmpLt { BPF_JGE } else { BPF_JGT }, value_low, NEXT_RULE, 0),
        ]),
        Operator::ScmpCmpMaskedEq => {
            // Here `value` is the mask, and `valueTwo` what must be left under it.
            let (wanted_high, wanted_low) = halves(condition.value_two().unwrap_or(0));
            out.extend([
                load(high),
                mask(value_high),
                jump(BPF_JEQ, wanted_high, 0, NEXT_RULE),
                load(low),
                mask(value_low),
                jump(BPF_JEQ, wanted_low, 0, NEXT_RULE),
            ]);
        }
    }
}

fn halves(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

fn errno(number: i32) -> u32 {
    Action::ScmpActErrno.as_u32(Some(number as u32))
}

fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0)
}

fn mask(bits: u32) -> sock_filter {
    instruction(BPF_ALU | BPF_AND | BPF_K, bits, 0, 0)
}

/// Compares the register with `value`; skips `yes` instructions when it holds, `no` when not.
fn jump(test: u32, value: u32, yes: u8, no: u8) -> sock_filter {
    instruction(BPF_JMP | test | BPF_K, value, yes, no)
}

fn jump_always(skip: usize) -> sock_filter {
    instruction(BPF_JMP | BPF_JA, skip as u32, 0, 0)
}

fn answer(verdict: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, verdict, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

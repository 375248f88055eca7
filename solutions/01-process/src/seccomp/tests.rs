//! The program is checked twice: run by a small machine of the test's own, for every call, against the rules read
//! plainly; and by the kernel, on a thread that puts it in force for itself.

use super::syscalls::{Abi, Lookup};
use super::*;
use crate::capabilities;
use oci::Capability;

fn number(name: &str, abi: Abi) -> Option<u32> {
    Lookup::default().find(name)?.number(abi)
}

/// What the kernel would answer: classic BPF, as far as filters use it.
fn run(program: &[libc::sock_filter], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let mut data = vec![number, architecture, 0, 0];
    data.extend(arguments.iter().flat_map(|argument| [*argument as u32, (*argument >> 32) as u32]));
    let (mut register, mut at) = (0_u32, 0_usize);
    loop {
        let instruction = program[at];
        at += 1;
        let jump = |yes: bool| if yes { instruction.jt } else { instruction.jf } as usize;
        match instruction.code {
            0x20 => register = data[instruction.k as usize / 4],
            0x54 => register &= instruction.k,
            0x05 => at += instruction.k as usize,
            0x15 => at += jump(register == instruction.k),
            0x25 => at += jump(register > instruction.k),
            0x35 => at += jump(register >= instruction.k),
            0x06 => return instruction.k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

/// The rules as they stand, with numbers for names.
struct Plain<'a> {
    rules: Vec<(Vec<u32>, &'a oci::LinuxSyscall)>,
    default: u32,
}

impl<'a> Plain<'a> {
    fn new(spec: &'a oci::LinuxSeccomp, abi: Abi) -> Self {
        let rules = spec.syscalls().iter().flatten();
        let numbers = |rule: &oci::LinuxSyscall| rule.names().iter().filter_map(|name| number(name, abi)).collect();
        Self {
            rules: rules.map(|rule| (numbers(rule), rule)).collect(),
            default: spec.default_action().as_u32(spec.default_errno_ret()),
        }
    }

    /// The same question, answered by reading from top to bottom.
    fn answer(&self, asked: u32, arguments: [u64; 6]) -> u32 {
        let holds = |arg: &LinuxSeccompArg| {
            let (argument, value) = (arguments[arg.index()], arg.value());
            match arg.op() {
                Operator::ScmpCmpEq => argument == value,
                Operator::ScmpCmpNe => argument != value,
                Operator::ScmpCmpGe => argument >= value,
                Operator::ScmpCmpGt => argument > value,
                Operator::ScmpCmpLe => argument <= value,
                Operator::ScmpCmpLt => argument < value,
                Operator::ScmpCmpMaskedEq => argument & value == arg.value_two().unwrap_or(0),
            }
        };
        let newest = self.rules.iter().flat_map(|(numbers, _)| numbers).max().unwrap();
        if asked > *newest {
            return 0x5_0000 | libc::ENOSYS as u32;
        }
        let mut concerns = self.rules.iter().filter(|(numbers, _)| numbers.contains(&asked)).map(|(_, rule)| rule);
        let fits = concerns.find(|rule| rule.args().iter().flatten().all(holds));
        fits.map_or(self.default, |rule| rule.action().as_u32(rule.errno_ret()))
    }
}

fn check_every_call(spec: &oci::LinuxSeccomp) {
    let filter = compile(spec).unwrap();
    let values =
        [0, 1, 7, 8, 40, 0x2_0000, 0x2_0008, 0x0200_0011, 0x1000_0000, 0xffff_ffff, 1 << 32, (1 << 32) + 8, u64::MAX];
    for abi in [Abi::Native, Abi::Compat] {
        let plain = Plain::new(spec, abi);
        for call in (0..520).chain([0x4000_0000, 0x4000_003b, u32::MAX]) {
            for value in values {
                let arguments = [value, 9, value, 0, 0, value];
                let (got, wanted) =
                    (run(&filter.program, abi.audit_arch(), call, arguments), plain.answer(call, arguments));
                assert_eq!(got, wanted, "{abi:?} call {call}, argument {value:#x}: got {got:#x}");
            }
        }
    }
    assert_eq!(run(&filter.program, 0x8000_0016, 1, [0; 6]), 0x8000_0000, "a foreign architecture is killed");
}

#[test]
fn the_default_profile_means_what_it_says() {
    check_every_call(&default_spec(&capabilities::default_set()));
    check_every_call(&default_spec(&[Capability::SysAdmin, Capability::SysNice].into()));
    check_every_call(&default_spec(&capabilities::Capabilities::new()));
}

#[test]
fn every_comparison_means_what_it_says() {
    for op in ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"] {
        for value in [0_u64, 8, 0xffff_ffff, (1 << 32) + 8] {
            let text = format!(
                r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_AARCH64","SCMP_ARCH_X86","SCMP_ARCH_ARM"],
                    "syscalls":[{{"names":["read","write","no such call"],"action":"SCMP_ACT_ALLOW",
                        "args":[{{"index":0,"value":{value},"valueTwo":8,"op":"SCMP_CMP_{op}"}},{{"index":1,"value":9,"op":"SCMP_CMP_EQ"}}]}},
                     {{"name":"read","action":"SCMP_ACT_ERRNO","errnoRet":5,"args":[{{"index":5,"value":1,"op":"SCMP_CMP_GT"}}]}},
                     {{"names":["close"],"action":"SCMP_ACT_KILL"}}]}}"#
            );
            check_every_call(&parse_profile(&text, &capabilities::default_set()).unwrap().unwrap());
        }
    }
}

#[test]
fn conditions_on_the_same_argument_are_alternatives() {
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["personality"],"action":"SCMP_ACT_ERRNO","errnoRet":1,
        "args":[{"index":0,"value":3,"op":"SCMP_CMP_EQ"},{"index":0,"value":4,"op":"SCMP_CMP_EQ"}]}]}"#;
    let filter = compile(&parse_profile(text, &capabilities::default_set()).unwrap().unwrap()).unwrap();
    let personality = number("personality", Abi::Native).unwrap();
    let answer = |value| run(&filter.program, Abi::Native.audit_arch(), personality, [value, 0, 0, 0, 0, 0]);
    assert_eq!([3, 4, 5].map(answer), [0x5_0001, 0x5_0001, 0x7fff_0000]);
    assert_eq!(
        run(&filter.program, Abi::Native.audit_arch(), 9999, [0; 6]),
        0x7fff_0000,
        "a permissive profile stays so"
    );
    if cfg!(target_arch = "x86_64") {
        let through_x32 = run(&filter.program, Abi::Native.audit_arch(), personality | 1 << 30, [3, 0, 0, 0, 0, 0]);
        assert_eq!(through_x32, 0x5_0000 | libc::ENOSYS as u32, "no way around it by another number");
    }
}

#[test]
fn a_profile_speaks_to_one_container_on_one_machine() {
    let profile = |conditions: &str| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":["read"],"action":"SCMP_ACT_ALLOW",{conditions}}}]}}"#
        );
        parse_profile(&text, &capabilities::default_set()).unwrap().unwrap().syscalls().as_ref().unwrap().len()
    };
    assert_eq!(profile(r#""includes":{"caps":["CAP_CHOWN"]},"excludes":{}"#), 1);
    assert_eq!(profile(r#""includes":{"caps":["CAP_SYS_ADMIN"]}"#), 0);
    assert_eq!(profile(r#""excludes":{"caps":["CAP_CHOWN"]}"#), 0);
    assert_eq!(profile(r#""includes":{"arches":["s390x"]}"#), 0);
    assert_eq!(profile(r#""includes":{"minKernel":"4.8"},"excludes":{"arches":["s390x"]}"#), 1);
    assert_eq!(profile(r#""includes":{"minKernel":"99.1"}"#), 0);
    assert_eq!(profile(r#""args":null"#), 1);
}

#[test]
fn what_is_not_a_profile_is_refused_in_dockers_words() {
    let refused = |text: &str| {
        let spec = parse_profile(text, &capabilities::default_set());
        spec.and_then(|spec| compile(&spec.unwrap())).unwrap_err().to_string()
    };
    assert!(refused("nonsense").starts_with("Decoding seccomp profile failed: "));
    assert_eq!(
        refused(r#"{"defaultAction":"SCMP_ACT_DANCE"}"#),
        "Decoding seccomp profile failed: unknown action: \"SCMP_ACT_DANCE\""
    );
    assert_eq!(
        refused(
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}"#
        ),
        "'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'"
    );
    assert!(refused(r#"{"defaultAction":"SCMP_ACT_NOTIFY"}"#).contains("listener"));
    let seventh = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]}"#;
    assert!(refused(seventh).contains("no index 6"));
    assert!(parse_profile("{}", &capabilities::default_set()).unwrap().is_none());
}

/// Makes a system call and gives its errno, or 0.
#[allow(unsafe_code)]
fn call(name: &str, arguments: [u64; 3]) -> i32 {
    let number = number(name, Abi::Native).map_or(600, libc::c_long::from);
    // SAFETY: each call of this test either takes no pointers or gets null ones, which the kernel checks.
    let result = unsafe { libc::syscall(number, arguments[0], arguments[1], arguments[2]) };
    if result >= 0 { 0 } else { std::io::Error::last_os_error().raw_os_error().unwrap() }
}

/// Puts the default filter for these capabilities in force on a thread of its own, and makes the call there.
fn under_filter(capabilities: &[Capability], name: &'static str, arguments: [u64; 3]) -> i32 {
    let bounding = capabilities::default_set().into_iter().chain(capabilities.iter().copied()).collect();
    let filter = compile(&default_spec(&bounding)).unwrap();
    let thread = std::thread::spawn(move || {
        rustix::thread::set_no_new_privs(true).unwrap();
        filter.apply().unwrap();
        call(name, arguments)
    });
    thread.join().unwrap()
}

#[test]
fn the_kernel_refuses_what_the_profile_does_not_list() {
    const NEW_USER: u64 = libc::CLONE_NEWUSER as u64;
    let asked = |name, first| under_filter(&[], name, [first, 0, 0]);
    assert_eq!(asked("mount", 0), libc::EPERM);
    assert_eq!(asked("unshare", NEW_USER), libc::EPERM);
    assert_eq!(asked("clone", NEW_USER), libc::EPERM);
    assert_eq!(asked("keyctl", 0), libc::EPERM);
    assert_eq!(asked("io_uring_setup", 1), libc::EPERM);
    assert_eq!(asked("clone3", 0), libc::ENOSYS, "else the C library would not fall back to clone");
    assert_eq!(asked("from the future", 0), libc::ENOSYS);
    assert_eq!(asked("socket", libc::AF_VSOCK as u64), libc::EPERM);
    assert_eq!(asked("personality", 0x40000), libc::EPERM, "ADDR_NO_RANDOMIZE");
}

#[test]
fn the_kernel_allows_what_the_profile_lists() {
    assert_eq!(under_filter(&[], "getpid", [0; 3]), 0);
    assert_eq!(under_filter(&[], "personality", [0xffff_ffff, 0, 0]), 0);
    assert_eq!(under_filter(&[], "socket", [libc::AF_UNIX as u64, libc::SOCK_STREAM as u64, 0]), 0);
    assert_eq!(under_filter(&[Capability::SysAdmin], "unshare", [0; 3]), 0, "a capability brings its calls");
    assert_eq!(under_filter(&[Capability::SysAdmin], "clone3", [0; 3]), libc::EINVAL);
}

//! Docker's default profile, as data: which system calls a container may make.
//!
//! Everything that is not listed is refused with EPERM. What is left out is what could touch the host: loading modules,
//! mounting, rebooting, the clock, keyrings, io_uring, other people's namespaces. Some of it comes back with the
//! capability that governs it, since whoever was given that capability was meant to use it.

use super::{Action, condition};
use crate::oci::{self, Capabilities, Capability, LinuxSeccompOperator as Operator};

/// Calls that are treated alike.
struct Group {
    when: When,
    /// Names, between blanks.
    calls: &'static str,
    /// The condition on one argument: its index, the comparison, the value.
    argument: Option<(usize, Operator, u64)>,
    /// Allowed, or refused with another errno than EPERM.
    errno: Option<u32>,
}

/// When a group is part of the profile.
enum When {
    Always,
    With(Capability),
    Without(Capability),
}

/// The flags of clone(2) that make a namespace; see namespaces(7).
const NEW_NAMESPACES: u64 = 0x7e02_0000;
const AF_VSOCK: u64 = 40;

const ALWAYS: &str = "
    accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime
    clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
    clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
    epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
    exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
    fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
    fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
    futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
    getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
    getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
    getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
    inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl
    ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
    lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr
    lsm_get_self_attr lsm_list_modules lsm_set_self_attr lstat lstat64 madvise map_shadow_stack membarrier
    memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
    mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat
    _newselect open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect
    poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv
    process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat
    readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat
    renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
    seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
    set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
    setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
    setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl
    shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat
    stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time
    timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
    timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate
    truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork
    vmsplice wait4 waitid waitpid write writev";

#[cfg(target_arch = "x86_64")]
const THIS_ARCHITECTURE: &str = "arch_prctl modify_ldt";
#[cfg(target_arch = "aarch64")]
const THIS_ARCHITECTURE: &str = "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls";

/// Namespaces and mounts belong to whoever administers the system.
const SYS_ADMIN: &str = "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr
    move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare";

const PROFILE: &[Group] = &[
    allow(When::Always, ALWAYS),
    allow(When::Always, THIS_ARCHITECTURE),
    // A VSOCK socket would reach the hypervisor, whatever the network namespace says.
    allow_if(When::Always, "socket", 0, Operator::ScmpCmpNe, AF_VSOCK),
    // The personalities of personality(2) that are harmless: PER_LINUX, PER_LINUX32, each with UNAME26, and «just tell
    // me».
    allow_if(When::Always, "personality", 0, Operator::ScmpCmpEq, 0x0),
    allow_if(When::Always, "personality", 0, Operator::ScmpCmpEq, 0x8),
    allow_if(When::Always, "personality", 0, Operator::ScmpCmpEq, 0x2_0000),
    allow_if(When::Always, "personality", 0, Operator::ScmpCmpEq, 0x2_0008),
    allow_if(When::Always, "personality", 0, Operator::ScmpCmpEq, 0xffff_ffff),
    allow(When::With(Capability::DacReadSearch), "open_by_handle_at"),
    allow(When::With(Capability::SysAdmin), SYS_ADMIN),
    // Threads and processes, yes; new namespaces, no. The flags of clone are in a register, where a filter can see them.
    allow_if(When::Without(Capability::SysAdmin), "clone", 0, Operator::ScmpCmpMaskedEq, NEW_NAMESPACES),
    // Those of clone3 are behind a pointer, where it cannot. «No such call» makes the C library fall back to clone.
    Group {
        when: When::Without(Capability::SysAdmin),
        calls: "clone3",
        argument: None,
        errno: Some(libc::ENOSYS as u32),
    },
    allow(When::With(Capability::SysBoot), "reboot"),
    allow(When::With(Capability::SysChroot), "chroot"),
    allow(When::With(Capability::SysModule), "delete_module init_module finit_module"),
    allow(When::With(Capability::SysPacct), "acct"),
    allow(
        When::With(Capability::SysPtrace),
        "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    ),
    allow(When::With(Capability::SysRawio), "iopl ioperm"),
    allow(When::With(Capability::SysTime), "settimeofday stime clock_settime clock_settime64"),
    allow(When::With(Capability::SysTtyConfig), "vhangup"),
    allow(When::With(Capability::SysNice), "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    allow(When::With(Capability::Syslog), "syslog"),
    allow(When::With(Capability::Bpf), "bpf"),
    allow(When::With(Capability::Perfmon), "perf_event_open"),
];

const fn allow(when: When, calls: &'static str) -> Group {
    Group { when, calls, argument: None, errno: None }
}

const fn allow_if(when: When, calls: &'static str, index: usize, operator: Operator, value: u64) -> Group {
    Group { when, calls, argument: Some((index, operator, value)), errno: None }
}

/// Docker's default profile for a container bounded by these capabilities.
pub fn default_spec(bounding: &Capabilities) -> oci::LinuxSeccomp {
    let rules = PROFILE.iter().filter(|group| match group.when {
        When::Always => true,
        When::With(capability) => bounding.contains(&capability),
        When::Without(capability) => !bounding.contains(&capability),
    });
    let mut spec = oci::LinuxSeccomp::default();
    spec.set_default_action(Action::ScmpActErrno)
        .set_default_errno_ret(Some(libc::EPERM as u32))
        .set_architectures(Some(super::architectures()))
        .set_syscalls(Some(rules.map(Group::rule).collect()));
    spec
}

impl Group {
    fn rule(&self) -> oci::LinuxSyscall {
        let argument = self.argument.map(|(index, operator, value)| vec![condition(index, operator, value, None)]);
        let action = if self.errno.is_some() { Action::ScmpActErrno } else { Action::ScmpActAllow };
        let mut rule = oci::LinuxSyscall::default();
        rule.set_names(self.calls.split_ascii_whitespace().map(str::to_owned).collect())
            .set_action(action)
            .set_errno_ret(self.errno)
            .set_args(argument);
        rule
    }
}

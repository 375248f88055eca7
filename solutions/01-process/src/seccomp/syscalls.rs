//! What each system call is called, and its number on the architectures Kesako runs on.
//!
//! A filter sees only numbers, a profile holds only names, and every architecture counts differently: on x86_64 `open`
//! is 2, to a 32-bit program on the same machine it is 5, and aarch64 has none. Numbers from 424 on are the same
//! everywhere. Sources: the kernel's `asm/unistd_64.h`, `asm/unistd_32.h` and `asm-generic/unistd.h`.

/// The call does not exist on that architecture.
const NO: u32 = u32::MAX;

/// A system call: its name, its number to native programs, and its number to 32-bit programs on the same machine.
pub(super) struct Call(&'static str, u32, u32);

macro_rules! syscalls {
    ($($name:literal $x86_64:tt $i386:tt $aarch64:tt $arm:tt ;)*) => {
        #[cfg(target_arch = "x86_64")]
        static BY_NAME: &[Call] = &[$(Call($name, $x86_64, $i386)),*];
        #[cfg(target_arch = "aarch64")]
        static BY_NAME: &[Call] = &[$(Call($name, $aarch64, $arm)),*];
    };
}

/// The two ways into the kernel that a machine offers to programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abi {
    Native,
    Compat,
}

impl Abi {
    /// How the kernel tells a filter which of the two it was (linux/audit.h).
    #[cfg(target_arch = "x86_64")]
    pub(super) fn audit_arch(self) -> u32 {
        match self {
            Self::Native => 0xc000_003e,
            Self::Compat => 0x4000_0003,
        }
    }

    /// How the kernel tells a filter which of the two it was (linux/audit.h).
    #[cfg(target_arch = "aarch64")]
    pub(super) fn audit_arch(self) -> u32 {
        match self {
            Self::Native => 0xc000_00b7,
            Self::Compat => 0x4000_0028,
        }
    }
}

impl Call {
    /// The number; nothing if that architecture does not have the call.
    pub(super) fn number(&self, abi: Abi) -> Option<u32> {
        let number = if abi == Abi::Native { self.1 } else { self.2 };
        (number != NO).then_some(number)
    }
}

/// Finds calls by their names.
///
/// Profiles are sorted, as the table is, so the next name is most often found a row or two further on; a search through
/// the whole table for each would be the dearest part of starting a container's filter.
#[derive(Default)]
pub(super) struct Lookup {
    next: usize,
}

impl Lookup {
    /// The call; nothing if this table is older than it.
    pub(super) fn find(&mut self, name: &str) -> Option<&'static Call> {
        let ahead = BY_NAME.get(self.next..)?.iter().take(4).position(|call| call.0 == name);
        let row = match ahead {
            Some(distance) => self.next + distance,
            None => BY_NAME.binary_search_by_key(&name, |call| call.0).ok()?,
        };
        self.next = row + 1;
        Some(&BY_NAME[row])
    }
}

// name                     x86_64 i386 aarch64 arm
#[rustfmt::skip]
syscalls! {
    "_llseek"                    NO  140   NO  140 ; "_newselect"                 NO  142   NO  142 ;
    "_sysctl"                   156  149   NO  149 ; "accept"                     43   NO  202  285 ;
    "accept4"                   288  364  242  366 ; "access"                     21   33   NO   33 ;
    "acct"                      163   51   89   51 ; "add_key"                   248  286  217  309 ;
    "adjtimex"                  159  124  171  124 ; "afs_syscall"               183  137   NO   NO ;
    "alarm"                      37   27   NO   NO ; "arch_prctl"                158  384   NO   NO ;
    "arm_fadvise64_64"           NO   NO   NO  270 ; "arm_sync_file_range"        NO   NO   NO  341 ;
    "bdflush"                    NO  134   NO  134 ; "bind"                       49  361  200  282 ;
    "bpf"                       321  357  280  386 ; "break"                      NO   17   NO   NO ;
    "breakpoint"                 NO   NO   NO 983041 ; "brk"                        12   45  214   45 ;
    "cacheflush"                 NO   NO   NO 983042 ; "cachestat"                 451  451  451  451 ;
    "capget"                    125  184   90  184 ; "capset"                    126  185   91  185 ;
    "chdir"                      80   12   49   12 ; "chmod"                      90   15   NO   15 ;
    "chown"                      92  182   NO  182 ; "chown32"                    NO  212   NO  212 ;
    "chroot"                    161   61   51   61 ; "clock_adjtime"             305  343  266  372 ;
    "clock_adjtime64"            NO  405   NO   NO ; "clock_getres"              229  266  114  264 ;
    "clock_getres_time64"        NO  406   NO   NO ; "clock_gettime"             228  265  113  263 ;
    "clock_gettime64"            NO  403   NO   NO ; "clock_nanosleep"           230  267  115  265 ;
    "clock_nanosleep_time64"     NO  407   NO   NO ; "clock_settime"             227  264  112  262 ;
    "clock_settime64"            NO  404   NO   NO ; "clone"                      56  120  220  120 ;
    "clone3"                    435  435  435  435 ; "close"                       3    6   57    6 ;
    "close_range"               436  436  436  436 ; "connect"                    42  362  203  283 ;
    "copy_file_range"           326  377  285  391 ; "creat"                      85    8   NO    8 ;
    "create_module"             174  127   NO   NO ; "delete_module"             176  129  106  129 ;
    "dup"                        32   41   23   41 ; "dup2"                       33   63   NO   63 ;
    "dup3"                      292  330   24  358 ; "epoll_create"              213  254   NO  250 ;
    "epoll_create1"             291  329   20  357 ; "epoll_ctl"                 233  255   21  251 ;
    "epoll_ctl_old"             214   NO   NO   NO ; "epoll_pwait"               281  319   22  346 ;
    "epoll_pwait2"              441  441  441  441 ; "epoll_wait"                232  256   NO  252 ;
    "epoll_wait_old"            215   NO   NO   NO ; "eventfd"                   284  323   NO  351 ;
    "eventfd2"                  290  328   19  356 ; "execve"                     59   11  221   11 ;
    "execveat"                  322  358  281  387 ; "exit"                       60    1   93    1 ;
    "exit_group"                231  252   94  248 ; "faccessat"                 269  307   48  334 ;
    "faccessat2"                439  439  439  439 ; "fadvise64"                 221  250  223   NO ;
    "fadvise64_64"               NO  272   NO   NO ; "fallocate"                 285  324   47  352 ;
    "fanotify_init"             300  338  262  367 ; "fanotify_mark"             301  339  263  368 ;
    "fchdir"                     81  133   50  133 ; "fchmod"                     91   94   52   94 ;
    "fchmodat"                  268  306   53  333 ; "fchmodat2"                 452  452  452  452 ;
    "fchown"                     93   95   55   95 ; "fchown32"                   NO  207   NO  207 ;
    "fchownat"                  260  298   54  325 ; "fcntl"                      72   55   25   55 ;
    "fcntl64"                    NO  221   NO  221 ; "fdatasync"                  75  148   83  148 ;
    "fgetxattr"                 193  231   10  231 ; "file_getattr"              468  468  468  468 ;
    "file_setattr"              469  469  469  469 ; "finit_module"              313  350  273  379 ;
    "flistxattr"                196  234   13  234 ; "flock"                      73  143   32  143 ;
    "fork"                       57    2   NO    2 ; "fremovexattr"              199  237   16  237 ;
    "fsconfig"                  431  431  431  431 ; "fsetxattr"                 190  228    7  228 ;
    "fsmount"                   432  432  432  432 ; "fsopen"                    430  430  430  430 ;
    "fspick"                    433  433  433  433 ; "fstat"                       5  108   80  108 ;
    "fstat64"                    NO  197   NO  197 ; "fstatat64"                  NO  300   NO  327 ;
    "fstatfs"                   138  100   44  100 ; "fstatfs64"                  NO  269   NO  267 ;
    "fsync"                      74  118   82  118 ; "ftime"                      NO   35   NO   NO ;
    "ftruncate"                  77   93   46   93 ; "ftruncate64"                NO  194   NO  194 ;
    "futex"                     202  240   98  240 ; "futex_requeue"             456  456  456  456 ;
    "futex_time64"               NO  422   NO   NO ; "futex_wait"                455  455  455  455 ;
    "futex_waitv"               449  449  449  449 ; "futex_wake"                454  454  454  454 ;
    "futimesat"                 261  299   NO  326 ; "get_kernel_syms"           177  130   NO   NO ;
    "get_mempolicy"             239  275  236  320 ; "get_robust_list"           274  312  100  339 ;
    "get_thread_area"           211  244   NO   NO ; "getcpu"                    309  318  168  345 ;
    "getcwd"                     79  183   17  183 ; "getdents"                   78  141   NO  141 ;
    "getdents64"                217  220   61  217 ; "getegid"                   108   50  177   50 ;
    "getegid32"                  NO  202   NO  202 ; "geteuid"                   107   49  175   49 ;
    "geteuid32"                  NO  201   NO  201 ; "getgid"                    104   47  176   47 ;
    "getgid32"                   NO  200   NO  200 ; "getgroups"                 115   80  158   80 ;
    "getgroups32"                NO  205   NO  205 ; "getitimer"                  36  105  102  105 ;
    "getpeername"                52  368  205  287 ; "getpgid"                   121  132  155  132 ;
    "getpgrp"                   111   65   NO   65 ; "getpid"                     39   20  172   20 ;
    "getpmsg"                   181  188   NO   NO ; "getppid"                   110   64  173   64 ;
    "getpriority"               140   96  141   96 ; "getrandom"                 318  355  278  384 ;
    "getresgid"                 120  171  150  171 ; "getresgid32"                NO  211   NO  211 ;
    "getresuid"                 118  165  148  165 ; "getresuid32"                NO  209   NO  209 ;
    "getrlimit"                  97   76  163   NO ; "getrusage"                  98   77  165   77 ;
    "getsid"                    124  147  156  147 ; "getsockname"                51  367  204  286 ;
    "getsockopt"                 55  365  209  295 ; "gettid"                    186  224  178  224 ;
    "gettimeofday"               96   78  169   78 ; "getuid"                    102   24  174   24 ;
    "getuid32"                   NO  199   NO  199 ; "getxattr"                  191  229    8  229 ;
    "getxattrat"                464  464  464  464 ; "gtty"                       NO   32   NO   NO ;
    "idle"                       NO  112   NO   NO ; "init_module"               175  128  105  128 ;
    "inotify_add_watch"         254  292   27  317 ; "inotify_init"              253  291   NO  316 ;
    "inotify_init1"             294  332   26  360 ; "inotify_rm_watch"          255  293   28  318 ;
    "io_cancel"                 210  249    3  247 ; "io_destroy"                207  246    1  244 ;
    "io_getevents"              208  247    4  245 ; "io_pgetevents"             333  385  292   NO ;
    "io_pgetevents_time64"       NO  416   NO   NO ; "io_setup"                  206  245    0  243 ;
    "io_submit"                 209  248    2  246 ; "io_uring_enter"            426  426  426  426 ;
    "io_uring_register"         427  427  427  427 ; "io_uring_setup"            425  425  425  425 ;
    "ioctl"                      16   54   29   54 ; "ioperm"                    173  101   NO   NO ;
    "iopl"                      172  110   NO   NO ; "ioprio_get"                252  290   31  315 ;
    "ioprio_set"                251  289   30  314 ; "ipc"                        NO  117   NO   NO ;
    "kcmp"                      312  349  272  378 ; "kexec_file_load"           320   NO  294  401 ;
    "kexec_load"                246  283  104  347 ; "keyctl"                    250  288  219  311 ;
    "kill"                       62   37  129   37 ; "landlock_add_rule"         445  445  445  445 ;
    "landlock_create_ruleset"   444  444  444  444 ; "landlock_restrict_self"    446  446  446  446 ;
    "lchown"                     94   16   NO   16 ; "lchown32"                   NO  198   NO  198 ;
    "lgetxattr"                 192  230    9  230 ; "link"                       86    9   NO    9 ;
    "linkat"                    265  303   37  330 ; "listen"                     50  363  201  284 ;
    "listmount"                 458  458  458  458 ; "listxattr"                 194  232   11  232 ;
    "listxattrat"               465  465  465  465 ; "llistxattr"                195  233   12  233 ;
    "lock"                       NO   53   NO   NO ; "lookup_dcookie"            212  253   18  249 ;
    "lremovexattr"              198  236   15  236 ; "lseek"                       8   19   62   19 ;
    "lsetxattr"                 189  227    6  227 ; "lsm_get_self_attr"         459  459  459  459 ;
    "lsm_list_modules"          461  461  461  461 ; "lsm_set_self_attr"         460  460  460  460 ;
    "lstat"                       6  107   NO  107 ; "lstat64"                    NO  196   NO  196 ;
    "madvise"                    28  219  233  220 ; "map_shadow_stack"          453  453  453  453 ;
    "mbind"                     237  274  235  319 ; "membarrier"                324  375  283  389 ;
    "memfd_create"              319  356  279  385 ; "memfd_secret"              447  447  447  447 ;
    "migrate_pages"             256  294  238   NO ; "mincore"                    27  218  232  219 ;
    "mkdir"                      83   39   NO   39 ; "mkdirat"                   258  296   34  323 ;
    "mknod"                     133   14   NO   14 ; "mknodat"                   259  297   33  324 ;
    "mlock"                     149  150  228  150 ; "mlock2"                    325  376  284  390 ;
    "mlockall"                  151  152  230  152 ; "mmap"                        9   90  222   NO ;
    "mmap2"                      NO  192   NO  192 ; "modify_ldt"                154  123   NO   NO ;
    "mount"                     165   21   40   21 ; "mount_setattr"             442  442  442  442 ;
    "move_mount"                429  429  429  429 ; "move_pages"                279  317  239  344 ;
    "mprotect"                   10  125  226  125 ; "mpx"                        NO   56   NO   NO ;
    "mq_getsetattr"             245  282  185  279 ; "mq_notify"                 244  281  184  278 ;
    "mq_open"                   240  277  180  274 ; "mq_timedreceive"           243  280  183  277 ;
    "mq_timedreceive_time64"     NO  419   NO   NO ; "mq_timedsend"              242  279  182  276 ;
    "mq_timedsend_time64"        NO  418   NO   NO ; "mq_unlink"                 241  278  181  275 ;
    "mremap"                     25  163  216  163 ; "mseal"                     462  462  462  462 ;
    "msgctl"                     71  402  187  304 ; "msgget"                     68  399  186  303 ;
    "msgrcv"                     70  401  188  302 ; "msgsnd"                     69  400  189  301 ;
    "msync"                      26  144  227  144 ; "munlock"                   150  151  229  151 ;
    "munlockall"                152  153  231  153 ; "munmap"                     11   91  215   91 ;
    "name_to_handle_at"         303  341  264  370 ; "nanosleep"                  35  162  101  162 ;
    "newfstatat"                262   NO   79   NO ; "nfsservctl"                180  169   42  169 ;
    "nice"                       NO   34   NO   34 ; "oldfstat"                   NO   28   NO   NO ;
    "oldlstat"                   NO   84   NO   NO ; "oldolduname"                NO   59   NO   NO ;
    "oldstat"                    NO   18   NO   NO ; "olduname"                   NO  109   NO   NO ;
    "open"                        2    5   NO    5 ; "open_by_handle_at"         304  342  265  371 ;
    "open_tree"                 428  428  428  428 ; "open_tree_attr"            467  467  467  467 ;
    "openat"                    257  295   56  322 ; "openat2"                   437  437  437  437 ;
    "pause"                      34   29   NO   29 ; "pciconfig_iobase"           NO   NO   NO  271 ;
    "pciconfig_read"             NO   NO   NO  272 ; "pciconfig_write"            NO   NO   NO  273 ;
    "perf_event_open"           298  336  241  364 ; "personality"               135  136   92  136 ;
    "pidfd_getfd"               438  438  438  438 ; "pidfd_open"                434  434  434  434 ;
    "pidfd_send_signal"         424  424  424  424 ; "pipe"                       22   42   NO   42 ;
    "pipe2"                     293  331   59  359 ; "pivot_root"                155  217   41  218 ;
    "pkey_alloc"                330  381  289  395 ; "pkey_free"                 331  382  290  396 ;
    "pkey_mprotect"             329  380  288  394 ; "poll"                        7  168   NO  168 ;
    "ppoll"                     271  309   73  336 ; "ppoll_time64"               NO  414   NO   NO ;
    "prctl"                     157  172  167  172 ; "pread64"                    17  180   67  180 ;
    "preadv"                    295  333   69  361 ; "preadv2"                   327  378  286  392 ;
    "prlimit64"                 302  340  261  369 ; "process_madvise"           440  440  440  440 ;
    "process_mrelease"          448  448  448  448 ; "process_vm_readv"          310  347  270  376 ;
    "process_vm_writev"         311  348  271  377 ; "prof"                       NO   44   NO   NO ;
    "profil"                     NO   98   NO   NO ; "pselect6"                  270  308   72  335 ;
    "pselect6_time64"            NO  413   NO   NO ; "ptrace"                    101   26  117   26 ;
    "putpmsg"                   182  189   NO   NO ; "pwrite64"                   18  181   68  181 ;
    "pwritev"                   296  334   70  362 ; "pwritev2"                  328  379  287  393 ;
    "query_module"              178  167   NO   NO ; "quotactl"                  179  131   60  131 ;
    "quotactl_fd"               443  443  443  443 ; "read"                        0    3   63    3 ;
    "readahead"                 187  225  213  225 ; "readdir"                    NO   89   NO   NO ;
    "readlink"                   89   85   NO   85 ; "readlinkat"                267  305   78  332 ;
    "readv"                      19  145   65  145 ; "reboot"                    169   88  142   88 ;
    "recv"                       NO   NO   NO  291 ; "recvfrom"                   45  371  207  292 ;
    "recvmmsg"                  299  337  243  365 ; "recvmmsg_time64"            NO  417   NO   NO ;
    "recvmsg"                    47  372  212  297 ; "remap_file_pages"          216  257  234  253 ;
    "removexattr"               197  235   14  235 ; "removexattrat"             466  466  466  466 ;
    "rename"                     82   38   NO   38 ; "renameat"                  264  302   38  329 ;
    "renameat2"                 316  353  276  382 ; "request_key"               249  287  218  310 ;
    "restart_syscall"           219    0  128    0 ; "rmdir"                      84   40   NO   40 ;
    "rseq"                      334  386  293  398 ; "rt_sigaction"               13  174  134  174 ;
    "rt_sigpending"             127  176  136  176 ; "rt_sigprocmask"             14  175  135  175 ;
    "rt_sigqueueinfo"           129  178  138  178 ; "rt_sigreturn"               15  173  139  173 ;
    "rt_sigsuspend"             130  179  133  179 ; "rt_sigtimedwait"           128  177  137  177 ;
    "rt_sigtimedwait_time64"     NO  421   NO   NO ; "rt_tgsigqueueinfo"         297  335  240  363 ;
    "sched_get_priority_max"    146  159  125  159 ; "sched_get_priority_min"    147  160  126  160 ;
    "sched_getaffinity"         204  242  123  242 ; "sched_getattr"             315  352  275  381 ;
    "sched_getparam"            143  155  121  155 ; "sched_getscheduler"        145  157  120  157 ;
    "sched_rr_get_interval"     148  161  127  161 ; "sched_rr_get_interval_time64"   NO  423   NO   NO ;
    "sched_setaffinity"         203  241  122  241 ; "sched_setattr"             314  351  274  380 ;
    "sched_setparam"            142  154  118  154 ; "sched_setscheduler"        144  156  119  156 ;
    "sched_yield"                24  158  124  158 ; "seccomp"                   317  354  277  383 ;
    "security"                  185   NO   NO   NO ; "select"                     23   82   NO   NO ;
    "semctl"                     66  394  191  300 ; "semget"                     64  393  190  299 ;
    "semop"                      65   NO  193  298 ; "semtimedop"                220   NO  192  312 ;
    "semtimedop_time64"          NO  420   NO   NO ; "send"                       NO   NO   NO  289 ;
    "sendfile"                   40  187   71  187 ; "sendfile64"                 NO  239   NO  239 ;
    "sendmmsg"                  307  345  269  374 ; "sendmsg"                    46  370  211  296 ;
    "sendto"                     44  369  206  290 ; "set_mempolicy"             238  276  237  321 ;
    "set_mempolicy_home_node"   450  450  450  450 ; "set_robust_list"           273  311   99  338 ;
    "set_thread_area"           205  243   NO   NO ; "set_tid_address"           218  258   96  256 ;
    "set_tls"                    NO   NO   NO 983045 ; "setdomainname"             171  121  162  121 ;
    "setfsgid"                  123  139  152  139 ; "setfsgid32"                 NO  216   NO  216 ;
    "setfsuid"                  122  138  151  138 ; "setfsuid32"                 NO  215   NO  215 ;
    "setgid"                    106   46  144   46 ; "setgid32"                   NO  214   NO  214 ;
    "setgroups"                 116   81  159   81 ; "setgroups32"                NO  206   NO  206 ;
    "sethostname"               170   74  161   74 ; "setitimer"                  38  104  103  104 ;
    "setns"                     308  346  268  375 ; "setpgid"                   109   57  154   57 ;
    "setpriority"               141   97  140   97 ; "setregid"                  114   71  143   71 ;
    "setregid32"                 NO  204   NO  204 ; "setresgid"                 119  170  149  170 ;
    "setresgid32"                NO  210   NO  210 ; "setresuid"                 117  164  147  164 ;
    "setresuid32"                NO  208   NO  208 ; "setreuid"                  113   70  145   70 ;
    "setreuid32"                 NO  203   NO  203 ; "setrlimit"                 160   75  164   75 ;
    "setsid"                    112   66  157   66 ; "setsockopt"                 54  366  208  294 ;
    "settimeofday"              164   79  170   79 ; "setuid"                    105   23  146   23 ;
    "setuid32"                   NO  213   NO  213 ; "setxattr"                  188  226    5  226 ;
    "setxattrat"                463  463  463  463 ; "sgetmask"                   NO   68   NO   NO ;
    "shmat"                      30  397  196  305 ; "shmctl"                     31  396  195  308 ;
    "shmdt"                      67  398  197  306 ; "shmget"                     29  395  194  307 ;
    "shutdown"                   48  373  210  293 ; "sigaction"                  NO   67   NO   67 ;
    "sigaltstack"               131  186  132  186 ; "signal"                     NO   48   NO   NO ;
    "signalfd"                  282  321   NO  349 ; "signalfd4"                 289  327   74  355 ;
    "sigpending"                 NO   73   NO   73 ; "sigprocmask"                NO  126   NO  126 ;
    "sigreturn"                  NO  119   NO  119 ; "sigsuspend"                 NO   72   NO   72 ;
    "socket"                     41  359  198  281 ; "socketcall"                 NO  102   NO   NO ;
    "socketpair"                 53  360  199  288 ; "splice"                    275  313   76  340 ;
    "ssetmask"                   NO   69   NO   NO ; "stat"                        4  106   NO  106 ;
    "stat64"                     NO  195   NO  195 ; "statfs"                    137   99   43   99 ;
    "statfs64"                   NO  268   NO  266 ; "statmount"                 457  457  457  457 ;
    "statx"                     332  383  291  397 ; "stime"                      NO   25   NO   NO ;
    "stty"                       NO   31   NO   NO ; "swapoff"                   168  115  225  115 ;
    "swapon"                    167   87  224   87 ; "symlink"                    88   83   NO   83 ;
    "symlinkat"                 266  304   36  331 ; "sync"                      162   36   81   36 ;
    "sync_file_range"           277  314   84   NO ; "syncfs"                    306  344  267  373 ;
    "sysfs"                     139  135   NO  135 ; "sysinfo"                    99  116  179  116 ;
    "syslog"                    103  103  116  103 ; "tee"                       276  315   77  342 ;
    "tgkill"                    234  270  131  268 ; "time"                      201   13   NO   NO ;
    "timer_create"              222  259  107  257 ; "timer_delete"              226  263  111  261 ;
    "timer_getoverrun"          225  262  109  260 ; "timer_gettime"             224  261  108  259 ;
    "timer_gettime64"            NO  408   NO   NO ; "timer_settime"             223  260  110  258 ;
    "timer_settime64"            NO  409   NO   NO ; "timerfd_create"            283  322   85  350 ;
    "timerfd_gettime"           287  326   87  354 ; "timerfd_gettime64"          NO  410   NO   NO ;
    "timerfd_settime"           286  325   86  353 ; "timerfd_settime64"          NO  411   NO   NO ;
    "times"                     100   43  153   43 ; "tkill"                     200  238  130  238 ;
    "truncate"                   76   92   45   92 ; "truncate64"                 NO  193   NO  193 ;
    "tuxcall"                   184   NO   NO   NO ; "ugetrlimit"                 NO  191   NO  191 ;
    "ulimit"                     NO   58   NO   NO ; "umask"                      95   60  166   60 ;
    "umount"                     NO   22   NO   NO ; "umount2"                   166   52   39   52 ;
    "uname"                      63  122  160  122 ; "unlink"                     87   10   NO   10 ;
    "unlinkat"                  263  301   35  328 ; "unshare"                   272  310   97  337 ;
    "uretprobe"                 335   NO   NO   NO ; "uselib"                    134   86   NO   86 ;
    "userfaultfd"               323  374  282  388 ; "ustat"                     136   62   NO   62 ;
    "utime"                     132   30   NO   NO ; "utimensat"                 280  320   88  348 ;
    "utimensat_time64"           NO  412   NO   NO ; "utimes"                    235  271   NO  269 ;
    "vfork"                      58  190   NO  190 ; "vhangup"                   153  111   58  111 ;
    "vm86"                       NO  166   NO   NO ; "vm86old"                    NO  113   NO   NO ;
    "vmsplice"                  278  316   75  343 ; "vserver"                   236  273   NO  313 ;
    "wait4"                      61  114  260  114 ; "waitid"                    247  284   95  280 ;
    "waitpid"                    NO    7   NO   NO ; "write"                       1    4   64    4 ;
    "writev"                     20  146   66  146 ;
}

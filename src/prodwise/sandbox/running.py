"""One run of a prepared argv: bounded in time, output, memory and disk, and never outlived by what it started."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import FileIO
from typing import Final

from prodwise.clock import monotonic
from prodwise.model.errors import TargetError
from prodwise.ports.repair import Limits, Ran
from prodwise.sandbox import calls

LOOK_S: Final = 0.1
"""Between two looks at memory and disk."""
END_S: Final = 5.0
"""For the kernel to take down what was killed."""
OUTPUT_TIMES: Final = 100
"""What prints more than so many times what is kept, is ended."""
MOST_ANYWAY: Final = 1 << 20
STATUS_MAX: Final = 20_000

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_INVISIBLE = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_DROPPED = dict.fromkeys((*_CONTROLS, *_INVISIBLE))


def cleaned(output: bytes, most: int) -> str:
    """The end of it as text that does nothing to a terminal or a page: no escape codes, control or bidirectional characters."""
    text = output[-most:].decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPES.sub("", text).translate(_DROPPED)


@dataclass(slots=True)
class Heard:
    """What a run has said so far."""

    most: int
    kept: bytearray = field(default_factory=bytearray)
    total: int = 0
    status: bytearray = field(default_factory=bytearray)

    def add(self, part: bytes) -> None:
        self.kept += part
        self.total += len(part)
        if len(self.kept) > 2 * self.most + 65_536:
            del self.kept[: -self.most]

    def told(self, key: str) -> int | None:
        """A number of bwrap's own report: `child-pid` at the start, `exit-code` at the end."""
        found = re.findall(rb'"%s": ?(\d+)' % key.encode(), bytes(self.status))
        return int(found[-1]) if found else None


@dataclass(slots=True)
class Started:
    """What was started, bwrap or an engine's client. alive: its pidfd; inside: of the first process in the sandbox, None until
    bwrap has told it."""

    process: subprocess.Popen[bytes]
    alive: int
    inside: int | None = None

    def end(self) -> None:
        """The first process of a pid namespace takes all others with it, whatever they ignore."""
        if self.inside is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.inside, signal.SIGKILL)
        self.process.kill()

    def forget(self) -> None:
        for one in (self.alive, self.inside):
            if one is not None:
                os.close(one)

    def gone(self) -> bool:
        """Whether nothing of it is left, waiting a while for the kernel."""
        if self.inside is None:
            return True
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.inside, selectors.EVENT_READ)
            return bool(waiting.select(END_S))


def run(
    bwrap: str, arguments: Sequence[str], command: Sequence[str], limits: Limits, over: Callable[[int], str]
) -> Ran:
    """Runs bwrap with an empty environment, and `command` in it. over: says why it must end, "" if it need not, given the
    first process inside. Raises TargetError where bwrap could not begin."""
    began = monotonic()
    with ExitStack() as held:
        (says, saying), (told, telling) = pipe(held), pipe(held)
        given = [*arguments, "--json-status-fd", str(telling.fileno())]
        args = _memory(held, b"".join(os.fsencode(one) + b"\0" for one in given))
        rules = _memory(held, calls.program())
        argv = [bwrap, "--seccomp", str(rules.fileno()), "--args", str(args.fileno()), "--", *command]
        process = held.enter_context(
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=saying, stderr=saying, env={}, cwd="/",
                             pass_fds=[one.fileno() for one in (telling, args, rules)], start_new_session=True)
        )  # fmt: skip
        started = Started(process, os.pidfd_open(process.pid))
        held.callback(started.forget)
        held.callback(started.end)
        saying.close()
        telling.close()
        heard = Heard(limits.output)
        ended = listen(started, heard, (says.fileno(), told.fileno()), began + limits.seconds, over)
        started.end()
        process.wait(END_S)
        if not started.gone():
            raise TargetError("a command in the sandbox could not be ended", "look for a process that waits for a disk")
        drain(heard, (says.fileno(), told.fileno()))
    return _ran(heard, ended, monotonic() - began)


def _ran(heard: Heard, ended: str, seconds: float) -> Ran:
    code, output = heard.told("exit-code"), cleaned(bytes(heard.kept), heard.most)
    if code is None and not ended:
        raise TargetError(f"the sandbox did not start: {output.strip()[-300:] or 'no reason was given'}")
    if not ended and code == 128 + signal.SIGXCPU:
        ended = "cpu"
    return Ran(None if ended else code, output, seconds, ended)


def listen(started: Started, heard: Heard, pipes: Sequence[int], until: float, over: Callable[[int], str]) -> str:
    """Reads until what was started has ended by itself (""), or there is a reason to end it. pipes: of output, then of others."""
    says = pipes[0]
    look = monotonic() + LOOK_S
    with selectors.DefaultSelector() as waiting:
        for one in (started.alive, *pipes):
            waiting.register(one, selectors.EVENT_READ)
        while True:
            now = monotonic()
            if now >= until:
                return "time"
            ready = {key.fd for key, _ in waiting.select(max(0.0, min(until, look) - now))}
            for one in ready & set(pipes):
                if not take(heard, one, says):
                    waiting.unregister(one)
            if started.inside is None and (first := heard.told("child-pid")):
                with suppress(ProcessLookupError):
                    started.inside = os.pidfd_open(first)
            if started.alive in ready:
                return ""
            if heard.total > OUTPUT_TIMES * heard.most + MOST_ANYWAY:
                return "output"
            if monotonic() >= look:
                if reason := over(heard.told("child-pid") or 0):
                    return reason
                look = monotonic() + LOOK_S


def take(heard: Heard, one: int, says: int) -> bool:
    """Takes what is there; whether more may come."""
    part = os.read(one, 65_536)
    if one == says:
        heard.add(part)
    elif len(heard.status) < STATUS_MAX:
        heard.status += part
    return bool(part)


def drain(heard: Heard, pipes: Sequence[int]) -> None:
    """What was written before the end, and not yet read: nobody writes any more."""
    for one in pipes:
        os.set_blocking(one, False)
        with suppress(BlockingIOError):
            while take(heard, one, pipes[0]):
                pass


def pipe(held: ExitStack) -> tuple[FileIO, FileIO]:
    out, into = os.pipe()
    return held.enter_context(FileIO(out, "r")), held.enter_context(FileIO(into, "w"))


def _memory(held: ExitStack, content: bytes) -> FileIO:
    """A file without a name that holds this."""
    file = held.enter_context(FileIO(os.memfd_create("given"), "r+"))
    file.write(content)
    file.seek(0)
    return file

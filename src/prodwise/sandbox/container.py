"""The sandbox where bubblewrap cannot be had: a container of an engine on this machine, without a network and read-only."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import re
import signal
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from prodwise.clock import monotonic, now
from prodwise.model.errors import ProdwiseError, Refused, TargetError
from prodwise.ports.repair import DOOR, Limits, Ran
from prodwise.sandbox import engine as engines
from prodwise.sandbox.engine import Engine, Removed, environment
from prodwise.sandbox.interpreters import SYSTEM_PATH
from prodwise.sandbox.jail import (
    HOME,
    SETTINGS,
    SHARED_BYTES,
    SYSTEM,
    TMP_BYTES,
    View,
    ceilings,
    ours_outside,
    someone,
    write_stubs,
)
from prodwise.sandbox.profile import profile
from prodwise.sandbox.running import END_S, Heard, Started, cleaned, drain, listen, pipe
from prodwise.sandbox.watch import Watch

PLACE: Final = "prodwise.place"
UNTIL: Final = "prodwise.until"
"""Labels: whose container it is, and when it is nobody's any more."""
LATE_S: Final = 120.0
START_S: Final = 20.0
"""Within which a container runs once it was started."""
IMAGE: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,400}$")
_START: Final = f'exec 2>&1; mkdir {HOME}; env -i "$@"; exit $?'
"""The first process: not the command itself, which would ignore signals. When it ends, the kernel ends all others."""
_HOLDS: Final = """
read -r token < token && test "$token" = "$TOKEN" && test "$(id -u)" = "$WHO" || exit 1
test -w "$HOME" && ! test -w / && ! test -w /etc || exit 2
lines=0; while read -r line; do lines=$((lines + 1)); done < /proc/net/dev; test $lines = 3 || exit 3
while read -r key value rest; do case "$key $value" in
  Cap*" 0000000000000000"|"NoNewPrivs: 1"|"Seccomp: 2") ;;
  Cap*|NoNewPrivs:*|Seccomp:*) exit 4;;
esac; done < /proc/self/status
while read -r one two three four at how rest; do case "$at $how" in
  "/ ro"|"/ ro,"*) ;;
  "/ "*) exit 5;;
esac; done < /proc/self/mountinfo
"""
"""Our tree, and nobody in particular; nothing to write to; no network; no capability; a filter; a root that is read-only."""


class Container:
    """Implements jail.Sandbox."""

    def __init__(self, image: str = "") -> None:
        """image: whose programs are there instead of the machine's; it must be on the machine already."""
        self._asked = image
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._image = ""
        self._programs: tuple[str, ...] = SYSTEM_PATH

    def require(self) -> None:
        with self._lock:
            if self._engine is not None:
                return
            found = engines.find()
            try:
                self._image = self._named(found) if self._asked else _scaffold(found)
                self._engine = found
                self._try()
            except TargetError as error:
                self._engine = None
                raise Refused(f"no container can be had here: {error.message}", engines.HINT) from None
            except ProdwiseError:
                self._engine = None
                raise

    def sweep(self) -> None:
        assert self._engine is not None, "required first"
        for one, labels in engines.labelled(self._engine, PLACE):
            if _nobodys(labels):
                with suppress(TargetError):
                    engines.remove(self._engine, one)

    def programs(self) -> Sequence[str]:
        return self._programs

    def enter(self, view: View, command: Sequence[str], limits: Limits, env: Mapping[str, str]) -> Ran:
        assert self._engine is not None, "required first"
        name, calls = f"prodwise-{os.urandom(8).hex()}", _calls(view.stubs.parent)
        given = arguments(self._engine.kind, view, limits, self._asked == "")
        given += ["--security-opt", f"seccomp={calls}", "--name", name, "--label", f"{PLACE}={view.stubs.parent}"]
        given += ["--label", f"{UNTIL}={now() + limits.seconds + LATE_S:.0f}", "--entrypoint", "/bin/sh", self._image]
        words = [f"{key}={value}" for key, value in env.items()]
        with Removed(self._engine, name) as removed:
            self._engine.ask("create", *given, "-c", _START, "sh", *words, *command)
            return _attached(self._engine, name, limits, Watch(view.root, limits), removed)

    def _named(self, engine: Engine) -> str:
        """The image that a person named, if it is there. Raises Refused."""
        if not IMAGE.match(self._asked):
            raise Refused(f"{self._asked[:80]!r} is no image", "write NAME:TAG, or better NAME@sha256:DIGEST")
        config = engines.config_of(engine, self._asked)
        if config is None:
            raise Refused(
                f"the image {self._asked} is not on this machine",
                f"`{engine.kind} pull {self._asked}`: nothing is pulled by itself",
            )
        if config.get("Volumes"):
            raise Refused(
                f"the image {self._asked} declares volumes, which can be written without a limit",
                "use one without VOLUME",
            )
        told = dict(str(one).partition("=")[::2] for one in config.get("Env") or ())
        self._programs = tuple(told.get("PATH", "").split(os.pathsep)) if told.get("PATH") else SYSTEM_PATH
        return self._asked

    def _try(self) -> None:
        """Raises Refused where it does not hold; a tree of another machine is none of ours."""
        with tempfile.TemporaryDirectory(prefix="prodwise-probe-") as place:
            root, uid, token = Path(place, "root"), someone(), os.urandom(8).hex()
            root.mkdir()
            (root / "token").write_text(f"{token}\n")
            write_stubs(Path(place, "etc"), uid)
            view = View(root, Path("/probe"), Path(place, "etc"), uid)
            env = {"HOME": HOME, "PATH": os.pathsep.join(self._programs), "TOKEN": token, "WHO": str(uid)}
            ran = self.enter(view, ("/bin/sh", "-c", _HOLDS), Limits(seconds=20), env)
        if ran.code != 0:
            said = ran.output.strip()[-300:] or ran.ended or f"check {ran.code}"
            raise Refused(f"a container does not hold here: {said}", engines.HINT)


def arguments(kind: str, view: View, limits: Limits, bare: bool) -> list[str]:
    """For `create`: what a command finds and may do. bare: the image holds nothing, and the machine's programs are seen."""
    hard = limits.memory + limits.memory // 4 + TMP_BYTES + SHARED_BYTES
    given = [
        *("--pull", "never", "--network=none", "--ipc", "private", "--hostname", "sandbox", "--read-only"),
        *(
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
            "--no-healthcheck",
            "--log-driver",
            "none",
            "--stop-timeout",
            "0",
        ),
        *("--user", f"{view.uid}:{view.uid if os.geteuid() == 0 else os.getegid()}"),
        *("--memory", str(hard), "--memory-swap", str(hard), "--pids-limit", str(limits.processes)),
        *("--tmpfs", f"/tmp:rw,exec,nosuid,nodev,size={TMP_BYTES},mode=1777", "--shm-size", str(SHARED_BYTES)),
        *("--workdir", str(view.seen)),
    ]
    if kind == "podman":
        given += [
            "--read-only-tmpfs=false",
            "--http-proxy=false",
            "--image-volume",
            "ignore",
            "--security-opt",
            "mask=/sys",
        ]
        given += ["--userns", "keep-id"] if os.geteuid() != 0 else []
    else:
        given += [part for place in ("/sys", "/sys/fs/cgroup") for part in ("--tmpfs", f"{place}:ro,size=4k,mode=0555")]
    others = ours_outside() if os.geteuid() != 0 else 0
    for name, most in ceilings(limits, others).items():
        given += ["--ulimit", f"{name}={most}:{most + 2 if name == 'cpu' else most}"]  # SIGXCPU first, it can be told
    for outside, inside, writable in _mounts(view, bare):
        given += ["--mount", _mount(outside, inside, writable)]
    return given


def _mounts(view: View, bare: bool) -> list[tuple[Path, Path, bool]]:
    """(outside, inside, whether it can be written)."""
    found = [(stub, Path("/etc", stub.name), False) for stub in sorted(view.stubs.iterdir())]
    if bare:
        found += [(Path(one), Path(one), False) for one in SYSTEM if os.path.isdir(one) and not os.path.islink(one)]
        settings = [Path("/etc", one) for one in SETTINGS]
        found += [(one, one, False) for one in settings if one.exists()]
    found += [(one, one, False) for one in view.prefixes]
    for seen in (view.seen, *view.also):
        found.append((view.root, seen, True))
        found += [(outside, _under(inside, view.seen, seen), False) for outside, inside in view.readonly]
        found += [(Path(os.devnull), _under(inside, view.seen, seen), False) for inside in view.masked]
    return [*found, *([(view.door, DOOR, False)] if view.door is not None else [])]


def _under(path: Path, seen: Path, other: Path) -> Path:
    return other / path.relative_to(seen) if path.is_relative_to(seen) else path


def _mount(outside: Path, inside: Path, writable: bool) -> str:
    """One field of a table each: names may hold commas."""
    line = io.StringIO()
    mode = () if writable else ("readonly",)
    csv.writer(line, lineterminator="").writerow(("type=bind", f"source={outside}", f"target={inside}", *mode))
    return line.getvalue()


def _calls(place: Path) -> Path:
    """The file with the system calls that may be made."""
    made = place / "calls.json"
    if not made.exists():
        begun = place / f"calls-{os.urandom(4).hex()}"
        begun.write_text(profile())
        begun.rename(made)
    return made


def _scaffold(engine: Engine) -> str:
    """An image of empty directories, and links as the machine has them, made here: what is in them is mounted."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as file:
        for name in ("dev", "etc", "proc", "sys", "tmp", *(one.lstrip("/") for one in SYSTEM)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = (
                tarfile.DIRTYPE,
                0o1777 if name == "tmp" else 0o755,
            )  # what is mounted there takes it over
            if os.path.islink(f"/{name}"):
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(f"/{name}")
            elif not os.path.isdir(f"/{name}"):
                continue
            file.addfile(entry)
    tag = f"prodwise-scaffold:{sha256(content.getvalue()).hexdigest()[:12]}"
    if engines.config_of(engine, tag) is None:
        engine.ask("import", "-", tag, given=content.getvalue())
    return tag


def _nobodys(labels: Mapping[str, str]) -> bool:
    """Whether its time is over, or the process is gone that held its workshop."""
    until = labels.get(UNTIL, "")
    if not until.isdigit() or now() > int(until):
        return True
    try:
        with open(Path(labels.get(PLACE, ""), "held"), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _attached(engine: Engine, name: str, limits: Limits, watch: Watch, removed: Removed) -> Ran:
    """Starts what was made, listens to it, asks how it ended, and has it removed."""
    began = monotonic()
    with ExitStack() as held:
        says, saying = pipe(held)
        process = held.enter_context(
            subprocess.Popen([engine.client, "start", "--attach", name], stdin=subprocess.DEVNULL, stdout=saying, stderr=saying,
                             env=environment(), cwd="/", start_new_session=True)
        )  # fmt: skip
        started = Started(process, os.pidfd_open(process.pid))
        held.callback(started.forget)
        held.callback(started.end)
        saying.close()
        heard, looks = Heard(limits.output), _Looks(engine, name, watch, limits.seconds)
        ended = listen(started, heard, (says.fileno(),), began + START_S + limits.seconds, looks.over)
        seconds = monotonic() - began
        state = {} if ended else _state(engine, name)
        started.end()  # first: an engine does not end a container whose output nobody takes
        process.wait(END_S)
        removed.now()
        drain(heard, (says.fileno(),))
    return _ran(cleaned(bytes(heard.kept), heard.most), ended, state, seconds)


class _Looks:
    """At memory, disk and time of one run. Its time begins when it is seen to run: engines take theirs to start it."""

    def __init__(self, engine: Engine, name: str, watch: Watch, seconds: float) -> None:
        self._engine, self._name, self._watch, self._seconds = engine, name, watch, seconds
        self._first, self._until = 0, 0.0

    def over(self, _: int) -> str:
        if not self._first:
            told = _state(self._engine, self._name).get("Pid")
            self._first = told if isinstance(told, int) else 0
            self._until = monotonic() + self._seconds
        elif monotonic() >= self._until:
            return "time"
        return self._watch.over(self._first)


def _state(engine: Engine, name: str) -> dict[str, Any]:
    told = engine.facts("inspect", "--format", "{{json .State}}", name)
    return told if isinstance(told, dict) else {}


def _ran(output: str, ended: str, state: Mapping[str, Any], seconds: float) -> Ran:
    """Raises TargetError for a container that did not run to its end by itself, and was not ended."""
    code = state.get("ExitCode")
    if not ended and (state.get("Status") not in ("exited", "stopped") or not isinstance(code, int)):
        said = " ".join((output or str(state.get("Error") or "")).split())[-300:]
        raise TargetError(f"the container did not run: {said or 'no reason was given'}")
    if state.get("OOMKilled") is True:
        ended = "memory"
    elif not ended and code == 128 + signal.SIGXCPU:
        ended = "cpu"
    return Ran(None if ended else code, output, seconds, ended)

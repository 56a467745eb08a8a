"""A container engine of this machine, spoken to by its command line: docker's, which podman speaks too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from prodwise.model.errors import Refused, TargetError

ASK_S: Final = 30.0
REMOVE_S: Final = 30.0
ANSWER_MAX: Final = 4 << 20
LISTED_MAX: Final = 200
_PLACES: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WHERE: Final = ("XDG_RUNTIME_DIR", "DOCKER_HOST", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF")
"""The variables by which an engine is found."""
_KEPT: Final = ("PATH", "HOME", "TMPDIR", *WHERE)
"""What a client is told of our environment: where things are. No proxy, which it would hand on; no credential."""
_NO_SETTINGS: Final = "/nonexistent"
"""For docker's own settings, which may hold credentials, proxies and other machines."""
HINT: Final = (
    "start docker or podman on this machine, as a user that may use it; `docker info` or `podman info` must answer"
)


@dataclass(frozen=True, slots=True)
class Engine:
    """kind: "docker" or "podman"; client: the path of its command line."""

    kind: str
    client: str

    def ask(self, *arguments: str, given: bytes = b"", seconds: float = ASK_S) -> str:
        """Raises TargetError with what it said."""
        try:
            done = subprocess.run(
                [self.client, *arguments], input=given, capture_output=True, env=environment(), cwd="/", timeout=seconds, check=False
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise TargetError(f"{self.kind} {arguments[0]}: no answer within {seconds:.0f} s", HINT) from None
        except OSError as error:
            raise TargetError(f"{self.kind} cannot be started: {error}", HINT) from None
        if done.returncode != 0:
            raise TargetError(
                f"{self.kind} {arguments[0]}: {_line(done.stderr) or f'exit code {done.returncode}'}", HINT
            )
        return done.stdout[:ANSWER_MAX].decode(errors="replace").strip()

    def facts(self, *arguments: str) -> Any:
        """What it answers as JSON, None for what is none."""
        try:
            return json.loads(self.ask(*arguments))
        except ValueError:
            return None


def environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": _PLACES, **kept, "DOCKER_CONFIG": _NO_SETTINGS}


def find() -> Engine:
    """The first one that answers and whose containers can be somebody who is not root. Raises Refused with what each said."""
    said = list[str]()
    for kind in ("docker", "podman"):
        client = shutil.which(kind, path=_PLACES)
        if client is None:
            said.append(f"{kind} is not installed")
            continue
        engine = Engine(kind, client)
        try:
            reason = _unfit(engine)
        except TargetError as error:
            reason = error.message
        if not reason:
            return engine
        said.append(reason)
    raise Refused(f"no container engine: {'; '.join(said)}", HINT)


def _unfit(engine: Engine) -> str:
    """Why not this one. Raises TargetError where it does not answer."""
    if engine.kind == "podman":
        engine.ask("info", "--format", "{{.Host.Security.Rootless}}")
        return ""
    told = engine.facts("info", "--format", "{{json .SecurityOptions}}")
    if not isinstance(told, list):
        return "docker does not answer as docker does"
    if any(f"name={one}" in str(option) for option in told for one in ("rootless", "userns")):
        return "docker maps users here, so that only its root could write a tree"
    return "" if any("name=seccomp" in str(option) for option in told) else "docker filters no system calls here"


def _line(said: bytes) -> str:
    text = said[-2_000:].decode(errors="replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[-400:]


class Removed(AbstractContextManager["Removed"]):
    """A container that is gone at the end, by a process that waits for the end of a pipe: also when we are killed. To be entered
    before the container is made."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name
        waiting, self._holding = os.pipe()
        argv = ["/bin/sh", "-c", 'read -r line; exec "$@"', "sh", engine.client, "rm", "--force", "--volumes", name]
        try:
            self._process = subprocess.Popen(
                argv, stdin=waiting, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), cwd="/",
                start_new_session=True,
            )  # fmt: skip
        except OSError:
            os.close(self._holding)
            raise
        finally:
            os.close(waiting)

    def now(self) -> None:
        """Raises TargetError where it is not gone in the end."""
        if self._holding < 0:
            return
        os.close(self._holding)
        self._holding = -1
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(REMOVE_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._engine.ask("ps", "--all", "--quiet", "--filter", f"name=^{self._name}$"):
            raise TargetError(
                f"the container {self._name} could not be removed", f"{self._engine.kind} rm --force {self._name}"
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.now()


def labelled(engine: Engine, label: str) -> list[tuple[str, dict[str, str]]]:
    """(id, labels) of the containers with that label, running or not."""
    ids = engine.ask("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={label}").split()[:LISTED_MAX]
    found = list[tuple[str, dict[str, str]]]()
    for one in ids:
        with suppress(TargetError):  # gone meanwhile
            labels = engine.facts("inspect", "--format", "{{json .Config.Labels}}", one)
            found.append((one, labels if isinstance(labels, dict) else {}))
    return found


def remove(engine: Engine, container: str) -> None:
    engine.ask("rm", "--force", "--volumes", container)


def config_of(engine: Engine, image: str) -> dict[str, Any] | None:
    """What an image says of itself; None where there is none on this machine."""
    try:
        told = engine.facts("image", "inspect", "--format", "{{json .Config}}", image)
    except TargetError:
        return None
    return told if isinstance(told, dict) else {}

"""A workshop for one directory: what is in it now as a commit, and trees of it in which commands run in the sandbox."""

from __future__ import annotations

import fcntl
import itertools
import os
import stat
import subprocess
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from prodwise.model.errors import UsageError
from prodwise.ports.repair import Environment, Limits, Ran
from prodwise.sandbox import jail
from prodwise.sandbox.carried import bring, carried, make_place
from prodwise.sandbox.interpreters import environment_of, fitting, interpreter, needed, outermost
from prodwise.sandbox.store import Store

_NOT_IN: Final = ("/proc", "/sys", "/dev", "/etc", "/boot", "/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/lib")

PREFIX: Final = "prodwise-shop-"
REMOVE_S: Final = 60.0


class Workshop:
    """Implements ports.repair.Workshop. The directory, and a repository in it, are only read.

    base: the commit of what is in the directory; left: paths that no tree has (secrets, and what is too large for a snapshot).
    """

    def __init__(
        self,
        directory: Path,
        commands: Sequence[str] = (),
        path: str | None = None,
        sandbox: jail.Sandbox | None = None,
    ) -> None:
        """commands: words or shell lines that will be run, read for programs outside PATH; path: instead of our own PATH; sandbox:
        bubblewrap unless another is given. Raises UsageError, TargetError, and Refused where no sandbox can be had."""
        self.directory = _usable(directory)
        self._sandbox = sandbox or jail.Bubblewrap()
        self._sandbox.require()
        self._sandbox.sweep()
        sweep()
        self._place = Path(os.path.realpath(tempfile.mkdtemp(prefix=PREFIX)))
        self._held = _hold(self._place)
        self._leaving: list[subprocess.Popen[bytes]] = []
        self._remove = weakref.finalize(self, _let_go, self._place, self._held, self._leaving)
        self._numbers = itertools.count()
        self._uid = jail.someone()
        jail.write_stubs(self._place / "etc", self._uid)
        self._store = Store(self.directory, self._place)
        self.base, self.left = self._store.snapshot()
        self._carried = carried(self._store, (*self.left, *self._store.prepared(self.base).left))
        self._prefixes, self._path = needed(self.directory, commands, path)
        given = Path(os.path.abspath(directory))
        self._also = (given,) if given != self.directory else ()

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes all that it made."""
        self._remove()

    def fresh(self, commit: str) -> AbstractContextManager[SandboxTree]:
        """It is out of the way at the end, and removed when the workshop closes."""
        return self._fresh(commit)

    @contextmanager
    def _fresh(self, commit: str) -> Iterator[SandboxTree]:
        whole = self._store.known(commit)
        place = self._place / f"tree-{next(self._numbers)}"
        (place / "root").mkdir(parents=True)
        try:
            yield SandboxTree(self, whole, place)
        finally:
            self._leaving[:] = [one for one in self._leaving if one.poll() is None]
            gone = place.with_name(f"gone-{place.name}")
            place.rename(gone)
            self._leaving.append(removing(gone))  # of a large repository it takes seconds, for which nobody waits

    def history(self, path: str, most: int) -> Sequence[tuple[str, str]]:
        return self._store.history(self.base, path, most)

    @property
    def spare(self) -> Path:
        """A place of ours for what is made for trees; it goes with the workshop."""
        return self._place / "spare"

    @property
    def interpreter(self) -> str:
        """The Python that commands find, "" for none outside the directory."""
        return interpreter(self._programs(), self.directory)

    def _programs(self) -> list[str]:
        return [*self._path, *self._sandbox.programs()]

    def with_environment(self, dependencies: Environment) -> Equipped:
        return Equipped(self, dependencies)

    def environment(self, dependencies: Environment | None = None) -> dict[str, str]:
        """All variables that a command finds."""
        own = environment_of(self.directory)
        first, more = (dependencies.path, dependencies.variables) if dependencies else (None, {})
        return {
            "PATH": os.pathsep.join([*([str(first)] if first else []), *self._programs()]),
            "HOME": jail.HOME,
            "TMPDIR": "/tmp",
            "LANG": "C.UTF-8",
            "USER": "app",
            "LOGNAME": "app",
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"VIRTUAL_ENV": str(own)} if own else {}),
            **more,
        }

    def view(self, root: Path, dependencies: Environment | None = None) -> jail.View:
        """What a command in this tree sees. dependencies: what lies in place of the repository's own environment."""
        instead, prefixes = fitting(self.directory, dependencies)
        brought = [
            (instead.get(path, self.directory / path), self.directory / path)
            for path in dict.fromkeys((*self._carried.seen, *instead))
            if make_place(instead.get(path, self.directory / path), root, path)
        ]
        seen = {str(inside) for _, inside in brought}
        masked = tuple(
            self.directory / path
            for path in self._carried.masked
            if any(f"{self.directory / path}".startswith(f"{one}/") for one in seen)
        )
        seen_too = outermost((*self._prefixes, *prefixes))
        return jail.View(
            root, self.directory, self._place / "etc", self._uid, self._also, seen_too, tuple(brought), masked
        )


@dataclass(frozen=True, slots=True)
class Equipped:
    """A workshop whose trees have these dependencies. Implements ports.repair.Workshop."""

    shop: Workshop
    dependencies: Environment

    @contextmanager
    def fresh(self, commit: str) -> Iterator[SandboxTree]:
        with self.shop.fresh(commit) as tree:
            tree.dependencies = self.dependencies
            yield tree

    def history(self, path: str, most: int) -> Sequence[tuple[str, str]]:
        return self.shop.history(path, most)


class SandboxTree:
    """Implements ports.repair.Tree. Files under `root` may be rewritten from outside between runs. dependencies: instead of those
    that were found."""

    def __init__(self, workshop: Workshop, commit: str, place: Path) -> None:
        self.root = place / "root"
        self.commit = commit
        self.dependencies: Environment | None = None
        self._workshop = workshop
        self._index = place / "index"
        self._tree = workshop._store.check_out(commit, self.root, self._index).tree
        bring(workshop.directory, self.root, workshop._carried)
        self._brought = frozenset((*workshop._carried.seen, *workshop._carried.links, *workshop._carried.copied))

    def apply(self, diff: str) -> None:
        self._workshop._store.apply(diff, self.root)

    def diff(self) -> str:
        return self._workshop._store.diff(self._tree, self.root, self._index, self._brought)

    def run(
        self, command: Sequence[str], limits: Limits, env: Mapping[str, str] | None = None, door: Path | None = None
    ) -> Ran:
        if not command or any("\0" in part for part in command):
            raise UsageError("there is no command to run")
        view = replace(self._workshop.view(self.root, self.dependencies), door=door)
        hand_over(self.root, view.uid)
        found = self._workshop.environment(self.dependencies) | dict(env or {})
        return self._workshop._sandbox.enter(view, command, limits, found)


def hand_over(root: Path, uid: int) -> None:
    """Gives all files of a tree to the user that commands run as. Links are not followed; nothing runs in it meanwhile."""
    if os.geteuid() != 0:
        return
    for one, found in _walked(root):
        if found.st_uid != uid:
            os.chown(one, uid, uid, follow_symlinks=False)


def remove(place: Path) -> None:
    """Removes a tree, whatever a command did to its modes and however deep it made it. Follows no link."""
    _await(removing(place))


def removing(place: Path) -> subprocess.Popen[bytes]:
    """The process that does so."""
    if os.geteuid() != 0:
        for one, found in _walked(place):
            if stat.S_ISDIR(found.st_mode):
                os.chmod(one, 0o700)
    nothing = subprocess.DEVNULL
    return subprocess.Popen(["rm", "-rf", "--", str(place)], stdin=nothing, stdout=nothing, stderr=nothing)


def _await(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(REMOVE_S)
    except subprocess.TimeoutExpired:  # the next workshop's sweep goes on
        process.kill()
        process.wait()


def sweep() -> None:
    """Removes what workshops left behind whose process was killed: nobody holds their lock any more."""
    for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), open(place / "held", "rb") as file:
            if os.fstat(file.fileno()).st_uid == os.geteuid():
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(place)


def _hold(place: Path) -> int:
    """The lock of a workshop; it goes with the process."""
    held = os.open(place / "begun", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    os.rename(place / "begun", place / "held")  # under its name only when it is held
    return held


def _let_go(place: Path, held: int, leaving: Sequence[subprocess.Popen[bytes]]) -> None:
    for one in leaving:
        _await(one)
    remove(place)
    os.close(held)


def _walked(top: Path) -> Iterator[tuple[str, os.stat_result]]:
    """All paths in it with what they are, itself first; not what lies too deep to be named."""
    yield str(top), os.lstat(top)
    waiting = [str(top)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for one in entries:
                found = one.stat(follow_symlinks=False)
                yield one.path, found
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(one.path)


def _usable(directory: Path) -> Path:
    """Its real path. Raises UsageError for what cannot be a repository's place."""
    if not directory.is_dir():
        raise UsageError(f"{directory} is no directory")
    real = Path(os.path.realpath(directory))
    home = Path(os.path.realpath(os.path.expanduser("~")))
    if (
        len(real.parts) < 2
        or real == home
        or any(real.is_relative_to(one) or Path(one).is_relative_to(real) for one in _NOT_IN)
    ):
        raise UsageError(f"{real} cannot be a repository's directory", "move the repository to a directory of its own")
    return real

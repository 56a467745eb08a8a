"""The environment that a pinned tree needs: from its lock, in a cache outside the sandbox, without running what a package brings."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from prodwise.clock import monotonic
from prodwise.loop.verify.hashes import unhashed
from prodwise.ports.repair import Environment
from prodwise.repair.pins.managers import INSTALLS, REQUIREMENTS, Install, Job, copied

KEPT_MAX: Final = 12
_DONE: Final = ".done"


def environment(folder: Path, lock: str, cache: Path, seconds: float, python: str = "") -> Environment | None:
    """Of this lock in this folder; None where it is none that is known. The same lock is installed once. python: the interpreter that
    it is for, ours without one. Raises TargetError."""
    made = _known(folder, lock)
    if made is None:
        return None
    install, names = made
    python = python or _ours()
    place = cache / _key(folder, names, python)
    with _alone(cache, place.name):
        if not (place / _DONE).exists():
            _forget(cache)
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            copied(folder, names, place)
            install(Job(place, lock, python, monotonic() + seconds))
            (place / _DONE).touch()
    told = _unsigned(folder, names)
    if "package.json" in names:
        modules = place / "node_modules"
        return Environment(place, modules / ".bin", {}, {"node_modules": modules}, told)
    return Environment(place, place / "venv" / "bin", {"VIRTUAL_ENV": str(place / "venv")}, {}, told)


def _known(folder: Path, lock: str) -> tuple[Install, tuple[str, ...]] | None:
    """Who installs it, and from which files. A requirements file goes with its like: together they are the lock."""
    if lock in INSTALLS:
        install, beside = INSTALLS[lock]
        if not all(_plain(folder / name) for name in (lock, beside[0])):
            return None
        return install, (lock, *(name for name in beside if _plain(folder / name)))
    if not PurePosixPath(lock).match("requirements*.txt") and not PurePosixPath(lock).match("constraints*.txt"):
        return None
    found, beside = (
        tuple(sorted(one.name for one in folder.glob(f"{name}*.txt") if _plain(one)))
        for name in ("requirements", "constraints")
    )
    return (REQUIREMENTS, (*found, *beside)) if found else None


def _unsigned(folder: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    found = ((name, unhashed(name, (folder / name).read_text())) for name in names)
    return tuple(f"{name} has no hash of {', '.join(those)}" for name, those in found if those)


def _plain(file: Path) -> bool:
    """A link could lead to any file of the machine, and what is copied is shown to the repository's code."""
    return file.is_file() and not file.is_symlink()


def _key(root: Path, names: tuple[str, ...], python: str) -> str:
    told = hashlib.sha256(python.encode())
    for name in names:
        told.update(f"{name}\0".encode() + hashlib.sha256((root / name).read_bytes()).digest())
    return told.hexdigest()[:24]


def _ours() -> str:
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


@contextmanager
def _alone(cache: Path, name: str) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget(cache: Path) -> None:
    """The oldest go, so that a cache never grows without end."""
    kept = sorted((one for one in cache.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
    for one in kept[: max(0, len(kept) - KEPT_MAX + 1)]:
        shutil.rmtree(one, ignore_errors=True)
        (cache / f"{one.name}.lock").unlink(missing_ok=True)

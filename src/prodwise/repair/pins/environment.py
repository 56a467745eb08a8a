"""The environment that a pinned tree needs: from its lock, in a cache outside the sandbox, without running what a package brings."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prodwise.clock import monotonic
from prodwise.model.errors import TargetError
from prodwise.ports.repair import Environment
from prodwise.repair.programs import run

KEPT_MAX: Final = 12
_DONE: Final = ".done"


def environment(root: Path, cache: Path, seconds: float, python: str = "") -> Environment | None:
    """Of the lock in this folder; None where it has none that is known. The same lock is installed once. python: the interpreter that
    it is for, ours without one. Raises TargetError."""
    made = _python(root) or _node(root)
    if made is None:
        return None
    kind, names = made
    python = python or _ours()
    place = cache / _key(root, names, python)
    with _alone(cache, place.name):
        if not (place / _DONE).exists():
            _forget(cache)
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            _make(kind, root, names, place, python, monotonic() + seconds)
            (place / _DONE).touch()
    if kind == "npm":
        modules = place / "node_modules"
        return Environment(place, modules / ".bin", {}, {"node_modules": modules})
    return Environment(place, place / "venv" / "bin", {"VIRTUAL_ENV": str(place / "venv")}, {})


def _python(root: Path) -> tuple[str, tuple[str, ...]] | None:
    if _plain(root / "uv.lock") and _plain(root / "pyproject.toml"):
        return "uv", ("uv.lock", "pyproject.toml")
    found, beside = (
        tuple(sorted(one.name for one in root.glob(f"{name}*.txt") if _plain(one)))
        for name in ("requirements", "constraints")
    )
    return ("pip", (*found, *beside)) if found else None


def _node(root: Path) -> tuple[str, tuple[str, ...]] | None:
    names = ("package.json", "package-lock.json")
    return ("npm", names) if all(_plain(root / one) for one in names) else None


def _plain(file: Path) -> bool:
    """A link could lead to any file of the machine, and what is copied is shown to the repository's code."""
    return file.is_file() and not file.is_symlink()


def _key(root: Path, names: tuple[str, ...], python: str) -> str:
    told = hashlib.sha256(python.encode())
    for name in names:
        told.update(f"{name}\0".encode() + hashlib.sha256((root / name).read_bytes()).digest())
    return told.hexdigest()[:24]


def _make(kind: str, root: Path, names: tuple[str, ...], place: Path, python: str, until: float) -> None:
    """Offline where all is cached, else from the index."""
    for name in names:
        shutil.copyfile(root / name, place / name)
    if kind == "npm":
        _cached_first(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--git=git"], place, until, "--prefer-offline"
        )
        return
    venv = place / "venv"
    run(["uv", "venv", "--quiet", "--python", python, str(venv)], place, _left(until))
    files = [name for name in names if name.startswith("requirements")]
    hashed = True
    if kind == "uv":
        argv = [
            "uv",
            "export",
            "--quiet",
            "--frozen",
            "--all-groups",
            "--no-emit-project",
            "--output-file",
            "locked.txt",
        ]
        run(argv, place, _left(until))
        files = ["locked.txt"]
    else:
        hashed = all("--hash" in (place / name).read_text() for name in files)
    asked = [part for name in files for part in ("-r", name)]
    safe = ["--only-binary", ":all:", *(["--require-hashes"] if hashed else [])]
    argv = ["uv", "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), *safe, *asked]
    _cached_first(argv, place, until, "--offline")


def _cached_first(argv: list[str], place: Path, until: float, offline: str) -> None:
    try:
        run([*argv, offline], place, _left(until))
    except TargetError:
        run(argv, place, _left(until))


def _ours() -> str:
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TargetError("the environment was not ready in time")
    return left


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

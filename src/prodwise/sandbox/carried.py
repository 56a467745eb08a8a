"""What a repository's commands need and git does not hold: environments, built files. Taken from the directory, never written."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prodwise.sandbox.interpreters import ENVIRONMENTS, environments
from prodwise.sandbox.store import Store, secret

SEEN: Final = re.compile(r"(?:^|/)(?:\.venv|venv|env|node_modules|build|[^/]+\.(?:egg|dist)-info|__pypackages__)$")
"""Directories that come in read-only."""
COPIED: Final = re.compile(r"\.(?:so(?:\.[0-9.]+)?|pyd|dylib|egg-link|mo)$|(?:^|/)_?version\.py$|_pb2(?:_grpc)?\.pyi?$")
"""Files that are made by a build, and copied."""
COPY_MAX: Final = 32 << 20
FILES_MAX: Final = 500
DIRECTORIES_MAX: Final = 60
LOOKED_MAX: Final = 20_000
_PACKAGES: Final = (*ENVIRONMENTS, "site-packages", "node_modules")


@dataclass(frozen=True, slots=True)
class Carried:
    """Paths relative to the directory. seen: read-only directories; links: to environments elsewhere; copied: files; masked:
    files in `seen` that are shown empty."""

    seen: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


def carried(store: Store, left: Sequence[str]) -> Carried:
    """left: paths that the snapshot left out; large files and submodules among them are seen as they are."""
    ignored = [one.rstrip("/") for one in store.ignored()]
    own = list(environments(store.directory))
    own += ["node_modules"] if (store.directory / "node_modules").is_dir() else []
    found = [*own, *(one for one in ignored if SEEN.search(one) and _is_environment(store.directory / one))]
    seen, copied, size = list[str](), list[str](), 0
    for path in sorted(dict.fromkeys([*found, *left]), key=lambda one: one.count("/")):
        if (
            not any(path.startswith(f"{other}/") for other in seen)
            and _is_plain(store.directory, path)
            and not secret(path, False)
        ):
            seen.append(path)
    for path in ignored:
        at = store.directory / path
        if COPIED.search(path) and not secret(path, False) and at.is_file() and not at.is_symlink():
            size += at.stat().st_size
            if size <= COPY_MAX and len(copied) < FILES_MAX:
                copied.append(path)
    hidden = {
        path: [] if Path(path).name in _PACKAGES else _secrets(store.directory, path, path not in own)
        for path in seen[:DIRECTORIES_MAX]
    }
    masked = tuple(one for found in hidden.values() for one in found or ())
    links = tuple(name for name in own if (store.directory / name).is_symlink())
    return Carried(tuple(path for path, found in hidden.items() if found is not None), links, tuple(copied), masked)


def _is_environment(at: Path) -> bool:
    """`env` and `venv` may be anything: only with an interpreter's mark in it."""
    return at.is_dir() and not at.is_symlink() and (at.name not in ENVIRONMENTS or os.path.isfile(at / "pyvenv.cfg"))


def _is_plain(directory: Path, path: str) -> bool:
    """Whether no part of the path is a link, and it is there."""
    at = directory
    for part in Path(path).parts:
        at = at / part
        if at.is_symlink() or part == "..":
            return False
    return at.exists()


def _secrets(directory: Path, path: str, built: bool) -> list[str] | None:
    """Those that a build or a submodule has in it; None where there is too much to look through. Packages bring none of ours;
    what merely looks like an environment may hold keys as well."""
    found, looked = list[str](), 0
    for place, folders, files in os.walk(directory / path):
        folders[:] = [one for one in folders if one not in _PACKAGES]
        looked += len(files) + len(folders)
        if looked > LOOKED_MAX:
            return None
        for name in files:
            inside = os.path.relpath(os.path.join(place, name), directory)
            if secret(inside, built) and not os.path.islink(os.path.join(place, name)):
                found.append(inside)
    return found


def bring(directory: Path, root: Path, what: Carried) -> None:
    """Copies files, and makes places for what is mounted later."""
    for path in what.links:
        if not os.path.lexists(root / path):
            os.symlink(os.readlink(directory / path), root / path)
    for path in what.copied:
        if not os.path.lexists(root / path):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(directory / path, root / path)
            shutil.copymode(directory / path, root / path)
    for path in what.seen:
        make_place(directory / path, root, path)


def make_place(original: Path, root: Path, path: str) -> bool:
    """A place to mount on; False where what lies there now is not to be mounted on: a command may have put a link in its way."""
    at = root
    for part in Path(path).parts[:-1]:
        at = at / part
        if at.is_symlink() or (at.exists() and not at.is_dir()):
            return False
        at.mkdir(exist_ok=True)
    at = at / Path(path).name
    if at.is_symlink():
        return False
    if original.is_dir():
        if at.exists():
            return at.is_dir()
        at.mkdir()
    elif at.exists():
        return at.is_file()
    else:
        at.touch()
    return True

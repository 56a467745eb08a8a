"""Lock files to package → version. What is not understood raises ValueError: a version is never guessed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from prodwise.loop.changes import lock_lines
from prodwise.model.delta import Package

Pairs = Iterator[tuple[str, str]]
NAME_MAX, VERSION_MAX = 120, 60
_REQUIREMENTS: Final = re.compile(r"(?:requirements|constraints)[\w.-]*\.txt", re.I)


def is_lock(path: str) -> bool:
    return _reader(path) is not None


def packages(path: str, text: str) -> dict[str, str]:
    """Name → version; several versions of one package are joined with commas. Raises ValueError."""
    reader = _reader(path)
    if reader is None:
        raise ValueError("it is no lock file that is known")
    found: dict[str, set[str]] = {}
    try:
        for name, version in reader(text):
            found.setdefault(name[:NAME_MAX], set()).add(version[:VERSION_MAX])
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"it cannot be read: {str(error)[:100]}") from None
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def difference(path: str, before: str, after: str) -> list[Package]:
    """By name. before, after: the file's text, "" where there is none. Raises ValueError."""
    old, new = packages(path, before) if before else {}, packages(path, after) if after else {}
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [Package(path, name, old.get(name, ""), new.get(name, "")) for name in names]


def _reader(path: str) -> Callable[[str], Pairs] | None:
    where = PurePosixPath(path)
    folder_of_requirements = where.suffix == ".txt" and where.parent.name == "requirements"
    if _REQUIREMENTS.fullmatch(where.name) or folder_of_requirements:
        return lock_lines.requirements
    return _READERS.get(where.name)


def _toml(text: str) -> Pairs:
    """uv, Poetry, PDM, Cargo: [[package]] with name and version."""
    for one in _list(tomllib.loads(text).get("package")):
        yield from _named(one)


def composer(text: str) -> Pairs:
    data = _mapping(json.loads(text))
    for part in ("packages", "packages-dev"):
        for one in _list(data.get(part)):
            yield from _named(one)


def _npm(text: str) -> Pairs:
    """Version 2 and 3 list `packages` by folder; version 1 nests `dependencies`."""
    data = _mapping(json.loads(text))
    listed = _mapping(data.get("packages"))
    for folder, one in listed.items():
        _, mark, name = folder.rpartition("node_modules/")
        if mark and not _mapping(one).get("link"):
            yield from _named({"name": name, "version": _mapping(one).get("version")})
    left = [] if listed else [_mapping(data.get("dependencies"))]
    while left:
        for name, one in left.pop().items():
            yield from _named({"name": name, "version": _mapping(one).get("version")})
            left.append(_mapping(_mapping(one).get("dependencies")))


def _named(one: object) -> Pairs:
    found = _mapping(one)
    name, version = found.get("name"), found.get("version")
    if isinstance(name, str) and name:
        yield name, lock_lines.plain(version) if isinstance(version, str) else lock_lines.ELSEWHERE


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_READERS: Final[Mapping[str, Callable[[str], Pairs]]] = {
    "uv.lock": _toml,
    "poetry.lock": _toml,
    "pdm.lock": _toml,
    "Cargo.lock": _toml,
    "package-lock.json": _npm,
    "npm-shrinkwrap.json": _npm,
    "composer.lock": composer,
    "yarn.lock": lock_lines.yarn,
    "pnpm-lock.yaml": lock_lines.pnpm,
    "Gemfile.lock": lock_lines.bundler,
    "go.mod": lock_lines.go,
}

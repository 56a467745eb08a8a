"""What pyproject.toml asks of one package, where a lock holds the hash of that (Poetry, PDM): both change together, if the hash of
today can be told from the file of today."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import tomlkit

from prodwise.loop.choose.pins.seen import same

_SPEC: Final = re.compile(r"(\s*([A-Za-z0-9][\w.-]*)(?:\s*\[[^\]]*\])?\s*\(?)([^;@()]*?)(\)?\s*(?:;.*)?)")
_HASH: Final = re.compile(r"^(content[-_]hash = \"(?:sha256:)?)([0-9a-f]{64})\"", re.M)


def spec_of(text: str, package: str) -> str | None:
    """What the app itself asks for; None where it does not name the package, or does in several ways."""
    try:
        found = {spec for _, spec in _asked(tomllib.loads(text), package)}
    except tomllib.TOMLDecodeError:
        return None
    return found.pop() if len(found) == 1 else None


def respecified(text: str, lock: str, package: str, spec: str) -> tuple[str, str] | None:
    """(pyproject.toml that asks for this, the lock with its hash); None where the hash cannot be told, or not all is changed."""
    now = spec_of(text, package)
    held = _HASH.search(lock)
    kind = next((one for one in _REFERENCES if held is not None and held[2] == _digest(one, text)), None)
    if now is None or kind is None:
        return None
    new = _rewritten(text, package, spec)
    if spec_of(new, package) != spec:
        return None
    return new, _HASH.sub(lambda one: f'{one[1]}{_digest(kind, new)}"', lock)


def exactly(text: str, package: str, version: str) -> str:
    """How this file says that it must be this version: a table of Poetry's has no sign for it."""
    tables = any(same(name, package) for table in _tables(tomllib.loads(text)) for name in table)
    return version if tables else f"=={version}"


def _rewritten(text: str, package: str, spec: str) -> str:
    """Strings of lists as text, so that all else keeps its layout; values of Poetry's tables by their place."""
    document = tomlkit.parse(text)
    for table in _tables(document):
        for name in [one for one in table if same(one, package)]:
            if isinstance(table[name], str):
                table[name] = spec
            else:
                table[name]["version"] = spec
    new = tomlkit.dumps(document)
    for row, _ in _strings(tomllib.loads(text), package):
        found = _SPEC.fullmatch(row)
        wanted = f"{found[1]}{spec}{found[4]}" if found else row
        for quote in "\"'":
            new = new.replace(f"{quote}{row}{quote}", f"{quote}{wanted}{quote}")
    return new


def _asked(data: Mapping[str, Any], package: str) -> Iterator[tuple[str, str]]:
    yield from _strings(data, package)
    for table in _tables(data):
        for name, value in table.items():
            if same(name, package):
                spec = value.get("version", "") if isinstance(value, Mapping) else value
                yield name, spec if isinstance(spec, str) and not isinstance(value, list) else "several"


def _strings(data: Mapping[str, Any], package: str) -> Iterator[tuple[str, str]]:
    """(requirement, its condition)."""
    project = data.get("project", {})
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    groups += [*data.get("dependency-groups", {}).values(), *_pdm(data).get("dev-dependencies", {}).values()]
    for row in (one for rows in groups for one in rows if isinstance(one, str)):
        found = _SPEC.fullmatch(row)
        if found is not None and same(found[2], package):
            yield row, found[3].strip()


def _tables(data: Any) -> list[Any]:
    poetry = data.get("tool", {}).get("poetry", {})
    groups = [one.get("dependencies", {}) for one in poetry.get("group", {}).values()]
    return [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {}), *groups]


def _pdm(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = data.get("tool", {}).get("pdm", {})
    return found


def _digest(kind: Any, text: str) -> str:
    try:
        return hashlib.sha256(json.dumps(kind(tomllib.loads(text)), sort_keys=True).encode()).hexdigest()
    except (TypeError, AttributeError, ValueError):
        return ""


def _of_poetry(data: Mapping[str, Any], groups: bool = True) -> dict[str, Any]:
    """As Poetry 1 and 2 (since 2.2 with groups) take it."""
    project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
    own = {key: project[key] for key in ("requires-python", "dependencies", "optional-dependencies") if key in project}
    grouped = data.get("dependency-groups", {}) if groups else {}
    legacy = ("dependencies", "source", "extras", "dev-dependencies")
    always = () if own or grouped else legacy
    rest = {key: poetry.get(key) for key in (*legacy, "group") if key in poetry or key in always}
    whole = {**({"project": own} if own else {}), **({"dependency-groups": grouped} if grouped else {})}
    return {**whole, "tool": {"poetry": rest}} if whole else rest


def _of_older_poetry(data: Mapping[str, Any]) -> dict[str, Any]:
    return _of_poetry(data, groups=False)


def _of_pdm(data: Mapping[str, Any]) -> dict[str, Any]:
    project, settings = data.get("project", {}), _pdm(data)
    groups = {re.sub(r"[-_.]+", "-", name).lower(): rows for name, rows in data.get("dependency-groups", {}).items()}
    for name, rows in settings.get("dev-dependencies", {}).items():
        key = re.sub(r"[-_.]+", "-", name).lower()
        groups[key] = [*groups.get(key, []), *rows]
    return {
        "sources": settings.get("source", []), "dependencies": project.get("dependencies", []), "dev-dependencies": groups,
        "optional-dependencies": project.get("optional-dependencies", {}), "requires-python": project.get("requires-python", ""),
        "resolution": settings.get("resolution", {}),
    }  # fmt: skip


_REFERENCES: Final = (_of_poetry, _of_older_poetry, _of_pdm)

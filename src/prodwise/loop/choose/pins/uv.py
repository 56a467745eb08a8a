"""Locks that are lists of [[package]] (uv, Poetry, PDM), and the constraint that keeps uv from moving a package."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from prodwise.loop.choose.pins.seen import Cannot, same
from prodwise.model.errors import UsageError

_NAME: Final = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")
_ENTRY: Final = re.compile(r"^\[\[package\]\]\n.*?(?=^\[(?!\[?package\.)|\Z)", re.MULTILINE | re.DOTALL)
_MANIFEST: Final = re.compile(r"^\[manifest\]\n(?:(?!\[).*\n?)*?(?=^\[|\Z)", re.MULTILINE)
_CONSTRAINTS: Final = re.compile(r"^constraints = \[(?:\{[^\n]*|\n(?: [^\n]*\n)*)\]\n", re.MULTILINE)
_OWN: Final = ("dependencies", "optional-dependencies", "extras", "source", "resolution-markers", "dev-dependencies")


def restored(now: str, then: str, package: str, version: str) -> str | Cannot:
    """The lock with the package's entry from then: only where that entry alone differs in what it says of others."""
    try:
        left, right = tomllib.loads(now), tomllib.loads(then)
    except tomllib.TOMLDecodeError as error:
        return Cannot(f"the lock cannot be read: {str(error)[:100]}")
    here, there = _of(left, package), _of(right, package)
    if len(here) != 1 or len(there) != 1 or there[0].get("version") != version:
        return Cannot("the lock holds it more than once")
    if any(here[0].get(key) != there[0].get(key) for key in _OWN):
        return Cannot("what it needs itself differs between the two versions")
    if _dependents(left, package) != _dependents(right, package):
        return Cannot("packages that need it have changed as well")
    if left.get("metadata", {}).get("files"):
        return Cannot("the lock keeps its hashes elsewhere")
    entries, before = _entries(now, package), _entries(then, package)
    if len(entries) != 1 or len(before) != 1:
        return Cannot("the lock is not laid out as its tool writes it")
    at = entries[0]
    return now[: at.start()] + before[0][0].rstrip("\n") + at[0][len(at[0].rstrip("\n")) :] + now[at.end() :]


def _of(lock: Mapping[str, Any], package: str) -> list[Mapping[str, Any]]:
    return [one for one in lock.get("package", []) if same(str(one.get("name")), package)]


def _entries(text: str, package: str) -> list[re.Match[str]]:
    return [one for one in _ENTRY.finditer(text) if same(str(tomllib.loads(one[0])["package"][0].get("name")), package)]


def _dependents(lock: Mapping[str, Any], package: str) -> list[tuple[str, str, str]]:
    """(name, version, what it asks for) of all that need the package; of the app itself, from its manifest."""
    found = []
    for one in lock.get("package", []):
        needs = one.get("dependencies", [])
        rows = [*needs.items()] if isinstance(needs, Mapping) else [(_named(row), row) for row in needs]
        rows += [(str(row.get("name")), row) for row in one.get("metadata", {}).get("requires-dist", [])]
        for extra in (*one.get("optional-dependencies", {}).values(), *one.get("dev-dependencies", {}).values()):
            rows += [(str(row.get("name")), row) for row in extra]
        told = sorted(str(row) for name, row in rows if same(name, package))
        if told:
            found.append((str(one.get("name")), str(one.get("version", "")), " ".join(told)))
    return sorted(found)


def _named(row: Any) -> str:
    """uv names a table, PDM a requirement."""
    if isinstance(row, Mapping):
        return str(row.get("name"))
    found = _NAME.match(str(row))
    return found[1] if found else ""


def constrained(text: str, package: str, version: str, older: str = "") -> str:
    """pyproject.toml with `package==version` among uv's constraints; version "": without ours, which says `older`."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"pyproject.toml cannot be read ({str(error)[:100]})", "mend it first") from None
    tool: Any = document.get("tool", {})
    known = [str(one) for one in tool.get("uv", {}).get("constraint-dependencies", [])]
    ours = f"{package}=={version or older}"
    kept = [i for i, one in enumerate(known) if not _names(one, package) or (not version and one != ours)]
    if version and known and ours in known:
        return text
    if not version and len(kept) == len(known):
        return text
    if not known:
        return _first_constraint(document, ours)
    rows = tool["uv"]["constraint-dependencies"]
    for at in reversed(range(len(known))):
        if at not in kept:
            rows.pop(at)
    if version:
        rows.append(ours)
    if not rows:
        del tool["uv"]["constraint-dependencies"]
        if not tool["uv"]:
            del tool["uv"]
            if not tool:
                del document["tool"]
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _first_constraint(document: Any, ours: str) -> str:
    row = tomlkit.array()
    row.append(ours)
    tool = document.get("tool", {})
    if "uv" in tool:
        tool["uv"]["constraint-dependencies"] = row
        return tomlkit.dumps(document)
    text = tomlkit.dumps(document).rstrip("\n")
    return f"{text}\n\n[tool.uv]\nconstraint-dependencies = {row.as_string()}\n"


def _names(requirement: str, package: str) -> bool:
    found = _NAME.match(requirement)
    return found is not None and same(found[1], package)


def lock_constrained(text: str, package: str, version: str, older: str = "") -> str:
    """uv.lock with the same constraints as the pyproject.toml beside it, as uv writes them."""
    told = tomllib.loads(text).get("manifest", {}).get("constraints", [])
    known = [(str(row.get("name")), str(row.get("specifier", ""))) for row in told]
    ours = f"=={version or older}"
    rows = [row for row in known if not same(row[0], package) or (not version and row[1] != ours)]
    rows = sorted({*rows, (package.lower(), ours)} if version else rows)
    if rows == sorted(known):
        return text
    cells = [f'{{ name = "{name}", specifier = "{spec}" }}' for name, spec in rows]
    inside = cells[0] if len(cells) == 1 else "".join(f"\n    {cell}," for cell in cells) + "\n"
    line = f"constraints = [{inside}]\n" if cells else ""
    found = _MANIFEST.search(text)
    if found is None:
        at = text.index("[[package]]")
        return f"{text[:at]}[manifest]\n{line}\n{text[at:]}"
    block = found[0]
    new = _CONSTRAINTS.sub("", block) if known else block
    new = new.rstrip("\n") + f"\n{line}\n"
    if new.strip() == "[manifest]":
        new = ""
    return text[: found.start()] + new + text[found.end() :]


def spec_from(now: str, then: str, package: str) -> str | None:
    """pyproject.toml with what it asked of the package then; None where it asks the same now."""
    here, there = _asked(now, package), _asked(then, package)
    if not here or not there or here == there:
        return None
    for quote in "\"'":
        if f"{quote}{here}{quote}" in now:
            return now.replace(f"{quote}{here}{quote}", f"{quote}{there}{quote}", 1)
    return None


def _asked(text: str, package: str) -> str:
    try:
        project = tomllib.loads(text).get("project", {})
    except tomllib.TOMLDecodeError:
        return ""
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    return next((str(one) for rows in lists for one in rows if _names(str(one), package)), "")

"""What a pin may change in a dependency manifest: versions, and nothing that runs or points elsewhere."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from prodwise.loop.verify.patch.names import folded

_ELSEWHERE = re.compile(
    r"(?:git\+|https?:|file:|ssh:|svn\+|hg\+|bzr\+|git@|github:|link:|portal:|\s@\s|^\s*@|(?<![\w/])\.{0,2}/\S)"
)
_REQUIREMENT = re.compile(
    r"\s*(?:#.*|[A-Za-z0-9][\w.-]{0,200}(?:\[[\w\s,.-]{0,200}\])?\s*(?:(?:===?|~=|!=|<=?|>=?)\s*[\w.*+!-]{1,80}\s*,?\s*){0,8}"
    r"(?:;[^#@/]{0,300})?(?:\s*--hash=sha\d{3}:[0-9a-f]{40,128})*\s*\\?(?:\s*#.*)?|--hash=sha\d{3}:[0-9a-f]{40,128}\s*\\?|)\s*"
)
_VERSION = re.compile(r"\d[\w.+!-]*|[\^~<>=!*]+")
_JSON: Final = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "resolutions",
    "overrides",
    "require",
    "require-dev",
)
_TOML: Final = (
    ("project", "dependencies"), ("project", "optional-dependencies"), ("dependency-groups",),
    ("tool", "poetry", "dependencies"), ("tool", "poetry", "dev-dependencies"), ("tool", "poetry", "group"),
    ("tool", "uv", "constraint-dependencies"), ("tool", "uv", "override-dependencies"),
    ("packages",), ("dev-packages",), ("dependencies",), ("dev-dependencies",),
)  # fmt: skip


def other_changes(
    path: str, before: str, after: str, added: tuple[str, ...], removed: tuple[str, ...]
) -> Iterator[str]:
    """Why a change of a manifest is more than one of versions."""
    for line in added:
        if _ELSEWHERE.search(line) and line not in removed and not _same_but_versions([line], removed):
            yield f"{path}: takes a dependency from elsewhere: {line.strip()[:80]}"
    name = folded(path).rsplit("/", 1)[-1]
    try:
        if name.endswith(".json"):
            same = _without_json(before) == _without_json(after)
        elif name.endswith(".toml") or name == "pipfile":
            same = _without_toml(before) == _without_toml(after)
        elif name.endswith((".txt", ".in")):
            same = all(_REQUIREMENT.fullmatch(line) for line in added)
        else:
            same = _same_but_versions(added, removed)
    except (ValueError, RecursionError):
        same = False
    if not same:
        yield f"{path}: more than versions of dependencies is changed"


def _same_but_versions(added: tuple[str, ...] | list[str], removed: tuple[str, ...]) -> bool:
    bare = [_VERSION.sub("", line) for line in removed]
    return all(_VERSION.sub("", line) in bare for line in added)


def _without_json(text: str) -> Any:
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise ValueError("no object")
    pnpm = whole.get("pnpm")
    if isinstance(pnpm, dict):
        whole["pnpm"] = {key: value for key, value in pnpm.items() if key != "overrides"}
    return {key: value for key, value in whole.items() if key not in _JSON and value != {}}


def _without_toml(text: str) -> Any:
    """Without versions; tables that held nothing else are left out, as they come and go with what they hold."""
    whole = tomllib.loads(text)
    for path in _TOML:
        place: Any = whole
        for part in path[:-1]:
            place = place.get(part) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(path[-1], None)
    return _filled(whole)


def _filled(table: dict[str, Any]) -> dict[str, Any]:
    kept = {key: _filled(value) if isinstance(value, dict) else value for key, value in table.items()}
    return {key: value for key, value in kept.items() if value != {}}

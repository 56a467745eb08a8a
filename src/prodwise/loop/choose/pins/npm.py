"""package.json, and the entry of package-lock.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from prodwise.loop.choose.pins import json_text
from prodwise.loop.choose.pins.seen import Cannot

SECTIONS: Final = ("dependencies", "devDependencies", "optionalDependencies")
FORCED: Final[Mapping[str, tuple[str, ...]]] = {
    "package-lock.json": ("overrides",),
    "npm-shrinkwrap.json": ("overrides",),
    "yarn.lock": ("resolutions",),
    "pnpm-lock.yaml": ("pnpm", "overrides"),
}
"""Where each tool reads versions that it must take for packages of packages."""
_OWN: Final = (
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "dev",
    "optional",
    "peer",
    "devOptional",
    "link",
)


def section_of(manifest: str, package: str) -> str:
    """Where package.json asks for it itself; "" for a package of a package. Raises ValueError for what is no JSON."""
    data = json.loads(manifest)
    return next((one for one in SECTIONS if package in data.get(one, {})), "")


def pinned(manifest: str, lock_name: str, package: str, version: str) -> tuple[str, str]:
    """(package.json that allows this version only, what it asked for before)."""
    section = section_of(manifest, package)
    path = (section, package) if section else (*FORCED[lock_name], package)
    found = json_text.find(manifest, path)
    before = str(json.loads(manifest[found.value : found.end])) if found else ""
    return (manifest, before) if before == version else (json_text.put(manifest, path, version), before)


def restored(now: str, then: str, package: str, version: str, section: str) -> str | Cannot:
    """package-lock.json with the package's entry from then: only where it says the same of others as now."""
    try:
        left, right = json.loads(now), json.loads(then)
    except ValueError as error:
        return Cannot(f"the lock cannot be read: {str(error)[:100]}")
    if "dependencies" in left or "packages" not in right or "packages" not in left:
        return Cannot("the lock is of an older kind")
    key = f"node_modules/{package}"
    here, there = _of(left, package), _of(right, package)
    if set(here) != {key} or set(there) != {key} or there[key].get("version") != version:
        return Cannot("the lock holds it more than once")
    if any(here[key].get(one) != there[key].get(one) for one in _OWN) or _below(left, key) != _below(right, key):
        return Cannot("what it needs itself differs between the two versions")
    if _dependents(left, package) != _dependents(right, package):
        return Cannot("packages that need it have changed as well")
    into, out = json_text.find(now, ("packages", key)), json_text.find(then, ("packages", key))
    if into is None or out is None:
        return Cannot("the lock is not laid out as npm writes it")
    new = now[: into.value] + then[out.value : out.end] + now[into.end :]
    return json_text.put(new, ("packages", "", section, package), version) if section else new


def released(files: Mapping[str, str], path: str, package: str, version: str, spec: str) -> dict[str, str]:
    """package.json as it asked before, and its copy in the lock."""
    text, folder = files[path], path.rpartition("/")[0]
    section = section_of(text, package)
    if section:
        edits = {path: json_text.put(text, (section, package), spec)} if spec else {}
        for name in ("package-lock.json", "npm-shrinkwrap.json"):
            lock = f"{folder}/{name}" if folder else name
            if spec and json_text.find(files.get(lock, "{}"), ("packages", "", section, package)):
                edits[lock] = json_text.put(files[lock], ("packages", "", section, package), spec)
        return edits
    for place in FORCED.values():
        found = json_text.find(text, (*place, package))
        if found is not None and text[found.value : found.end] == json.dumps(version):
            text = json_text.put(text, (*place, package), spec) if spec else json_text.drop(text, (*place, package))
    return {path: text}


def _of(lock: Mapping[str, Any], package: str) -> dict[str, Mapping[str, Any]]:
    return {key: one for key, one in lock["packages"].items() if key.endswith(f"node_modules/{package}")}


def _below(lock: Mapping[str, Any], key: str) -> list[tuple[str, str]]:
    return sorted((one, str(row.get("version"))) for one, row in lock["packages"].items() if one.startswith(f"{key}/"))


def _dependents(lock: Mapping[str, Any], package: str) -> list[tuple[str, str, str]]:
    """All that need the package, but the app itself: what it asks for is set beside this."""
    kinds = ("dependencies", "optionalDependencies", "peerDependencies")
    return sorted(
        (key, str(one.get("version")), str(one[kind][package]))
        for key, one in lock["packages"].items() if key
        for kind in kinds if package in one.get(kind, {})
    )  # fmt: skip

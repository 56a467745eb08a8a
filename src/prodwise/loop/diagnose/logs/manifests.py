"""Lock files and manifests: the versions in them, and what changed between two states of one.

Leniently, for a diagnosis: a range counts as the version that it names. Exact readings are in `loop/changes/locks.py`; what is
read alike is read there. TOML locks are searched, not parsed, since a large one takes a second.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, Final

from prodwise.loop.changes import lock_lines, locks
from prodwise.model.breakage import Ecosystem, Moved

PACKAGES_MAX: Final = 20_000
Versions = dict[str, str]
_TOML_LOCK: Final = re.compile(r'^name = "([^"\n]{1,200})"\nversion = "([^"\n]{1,100})"', re.MULTILINE)
_PINNED: Final = re.compile(
    r"^([A-Za-z0-9][\w.-]{0,100})(?:\[[\w,. -]{1,100}\])?\s{0,3}(?:===?|>=|~=|<=|<|>)\s{0,3}(\d[\w.+!*-]{0,60})",
    re.MULTILINE,
)
_SPEC: Final = re.compile(
    r"([A-Za-z0-9][\w.-]{0,100})(?:\[[\w,. -]{1,100}\])?\s{0,3}\(?(?:===?|>=|~=|<=|<|>)\s{0,3}(\d[\w.+!*-]{0,60})"
)
_BLOCK: Final = re.compile(r"<(dependency|plugin|parent|extension)>(.{1,3000}?)</\1>", re.DOTALL)
_TAG: Final = re.compile(r"<(groupId|artifactId|version)>\s{0,20}([^<\s]{1,200})\s{0,20}</")
_PROPERTY: Final = re.compile(r"<([\w.-]{1,100})>\s{0,5}([^<\s]{1,100})\s{0,5}</\1>")
_GRADLE: Final = re.compile(r"[\"']([\w.-]{1,150}:[\w.-]{1,120}):([\dv][\w.+-]{0,80})[\"'@]")
_GRADLE_PLUGIN: Final = re.compile(
    r"id\s?\(?[\"']([\w.-]{1,150})[\"']\)?\s{1,3}version\s{1,3}[\"']([\dv][\w.+-]{0,80})[\"']"
)
_GRADLE_LOCK: Final = re.compile(r"^([\w.-]{1,150}:[\w.-]{1,120}):([\w.+-]{1,80})=", re.MULTILINE)


def ecosystem_of(path: str) -> Ecosystem | None:
    """Whose manifest or lock file it is, by its name; None for other files."""
    found = _reader(path)
    return found[0] if found else None


def moved(path: str, before: str, after: str, where: str) -> list[Moved]:
    """What changed in it. A file that cannot be read holds nothing."""
    found = _reader(path)
    if found is None:
        return []
    ecosystem, read = found
    old, new = _versions(read, before), _versions(read, after)
    return [
        Moved(ecosystem, name, old.get(name, ""), new.get(name, ""), where)
        for name in sorted(set(old) | set(new))
        if old.get(name) != new.get(name) and name in new
    ]  # fmt: skip


def _versions(read: Callable[[str], Iterator[tuple[str, str]]], text: str) -> Versions:
    found: Versions = {}
    try:
        for name, version in read(text):
            if len(found) >= PACKAGES_MAX:
                break
            found[name] = version
    except (ValueError, RecursionError, TypeError, AttributeError):
        return found
    return found


def _reader(path: str) -> tuple[Ecosystem, Callable[[str], Iterator[tuple[str, str]]]] | None:
    name = path.rpartition("/")[2].lower()
    exact: dict[str, tuple[Ecosystem, Callable[[str], Iterator[tuple[str, str]]]]] = {
        "uv.lock": (Ecosystem.PYTHON, _toml_lock),
        "poetry.lock": (Ecosystem.PYTHON, _toml_lock),
        "pdm.lock": (Ecosystem.PYTHON, _toml_lock),
        "pyproject.toml": (Ecosystem.PYTHON, _pyproject),
        "pipfile.lock": (Ecosystem.PYTHON, _pipfile),
        "package.json": (Ecosystem.NODE, _package_json),
        "package-lock.json": (Ecosystem.NODE, _package_lock),
        "npm-shrinkwrap.json": (Ecosystem.NODE, _package_lock),
        "yarn.lock": (Ecosystem.NODE, lock_lines.yarn),
        "pnpm-lock.yaml": (Ecosystem.NODE, lock_lines.pnpm),
        "pom.xml": (Ecosystem.JAVA, _pom),
        "gradle.lockfile": (Ecosystem.JAVA, lambda text: _pairs(_GRADLE_LOCK, text)),
        "build.gradle": (Ecosystem.JAVA, _gradle),
        "build.gradle.kts": (Ecosystem.JAVA, _gradle),
        "libs.versions.toml": (Ecosystem.JAVA, _catalog),
        "gemfile.lock": (Ecosystem.RUBY, lock_lines.bundler),
        "go.mod": (Ecosystem.GO, lock_lines.go),
        "composer.lock": (Ecosystem.PHP, locks.composer),
        "cargo.lock": (Ecosystem.RUST, _toml_lock),
    }
    if name in exact:
        return exact[name]
    if name.endswith((".txt", ".in")) and ("requirement" in path.lower() or "constraint" in name):
        return Ecosystem.PYTHON, lambda text: _pairs(_PINNED, text)
    return None


def _pairs(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    for found in pattern.finditer(text):
        yield found[1], found[2]


def _toml_lock(text: str) -> Iterator[tuple[str, str]]:
    return _pairs(_TOML_LOCK, text.replace("\r\n", "\n"))


def _pyproject(text: str) -> Iterator[tuple[str, str]]:
    data = tomllib.loads(text)
    project = data.get("project", {})
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    lists += list(data.get("dependency-groups", {}).values())
    for one in (spec for many in lists for spec in many if isinstance(spec, str)):
        if (found := _SPEC.match(one)) is not None:
            yield found[1], found[2]
    poetry = data.get("tool", {}).get("poetry", {})
    groups = [
        poetry.get("dependencies", {}),
        *(one.get("dependencies", {}) for one in poetry.get("group", {}).values()),
    ]
    for many in groups:
        for name, spec in many.items():
            yield name, _bare(spec if isinstance(spec, str) else str(spec.get("version", "")))


def _pipfile(text: str) -> Iterator[tuple[str, str]]:
    data = json.loads(text)
    for part in ("default", "develop"):
        for name, one in data.get(part, {}).items():
            yield name, _bare(str(one.get("version", "")))


def _package_json(text: str) -> Iterator[tuple[str, str]]:
    data = json.loads(text)
    for part in ("dependencies", "devDependencies", "optionalDependencies"):
        for name, spec in data.get(part, {}).items():
            yield name, _bare(str(spec))


def _package_lock(text: str) -> Iterator[tuple[str, str]]:
    data = json.loads(text)
    for path, one in data.get("packages", {}).items():
        if path.count("node_modules/") == 1 and path.startswith("node_modules/"):
            yield path.removeprefix("node_modules/"), str(one.get("version", ""))
    if "packages" not in data:
        for name, one in data.get("dependencies", {}).items():
            yield name, str(one.get("version", ""))


def _pom(text: str) -> Iterator[tuple[str, str]]:
    known = dict(_pairs(_PROPERTY, text))
    for block in _BLOCK.finditer(text):
        tags: Any = dict(reversed(list(_pairs(_TAG, block[2]))))
        group, name, version = (
            tags.get("groupId", "org.apache.maven.plugins"),
            tags.get("artifactId"),
            tags.get("version"),
        )
        if name and version:
            resolved = known.get(version[2:-1], version) if version.startswith("${") else version
            yield f"{group}:{name}", resolved


def _gradle(text: str) -> Iterator[tuple[str, str]]:
    yield from _pairs(_GRADLE, text)
    yield from _pairs(_GRADLE_PLUGIN, text)


def _catalog(text: str) -> Iterator[tuple[str, str]]:
    data = tomllib.loads(text)
    versions = data.get("versions", {})
    for one in data.get("libraries", {}).values():
        if isinstance(one, str) and one.count(":") == 2:
            name, _, version = one.rpartition(":")
            yield name, version
        elif isinstance(one, dict):
            name = one.get("module") or f"{one.get('group')}:{one.get('name')}"
            version = one.get("version", "")
            yield name, str(versions.get(version.get("ref"), "")) if isinstance(version, dict) else str(version)


def _bare(spec: str) -> str:
    """A version without the signs of a range."""
    found = re.search(r"v?\d[\w.+-]{0,60}", spec)
    return found[0] if found else spec

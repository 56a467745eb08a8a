"""What a change of locks and manifests brings in, against all that stood in them before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.loop.changes.locks import difference, is_lock, packages

_VERSION = re.compile(r"(?<![\w.-])v?\d+(?:\.\d+)+[\w.+!-]*")
_QUOTED = re.compile(r"[\"']([^\"']{1,300})[\"']")
_NAMED = re.compile(r"\s*(@?[A-Za-z][\w.@/-]*)")
_SOURCE = re.compile(
    r"sha\d{1,3}[:-][\w+/=]{20,200}|(?<=checksum: )[\w/]{20,200}|(?:https?|git|ssh|file)(?:\+\w+)?:[^\s\"',]{1,500}"
)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_OF_MANIFEST = re.compile(r"content[-_]hash = \"(?:sha256:)?[0-9a-f]{64}\"$")
"""A lock's hash of its own manifest, which is judged itself."""
SECTIONS: Final = frozenset({
    "dependencies", "devdependencies", "optionaldependencies", "peerdependencies", "resolutions", "overrides", "pnpm",
    "constraint-dependencies", "override-dependencies", "constraints", "name", "specifier", "version",
})  # fmt: skip
"""Words of the files' own that a pin may add."""


@dataclass(frozen=True, slots=True)
class Moved:
    """versions: those that are new in the lock; known: all of them stood in it once, for this package; before: what was there."""

    path: str
    name: str
    versions: tuple[str, ...]
    known: bool
    before: tuple[str, ...] = ()


def moved(path: str, before: str, after: str, history: Sequence[str]) -> tuple[Moved, ...]:
    """Packages whose versions are not what they were; what only goes is left out. Raises ValueError for a lock that cannot be read."""
    found = list[Moved]()
    for one in difference(path, before, after):
        was, now = set(one.before.split(", ")), set(one.after.split(", "))
        if new := tuple(sorted(now - was - {""})):
            found.append(
                Moved(path, one.name, new, set(new) <= _ever(path, one.name, history), tuple(sorted(was - {""})))
            )
    return tuple(found)


def _ever(path: str, name: str, history: Sequence[str]) -> set[str]:
    versions = set[str]()
    for text in history:
        try:
            versions |= set(packages(path, text).get(name, "").split(", "))
        except ValueError:
            continue
    return versions


def strange(path: str, added: Sequence[str], before: str) -> Iterator[str]:
    """What stood in none of these texts: versions, hashes and addresses anywhere; names, in manifests (in locks, `moved` tells)."""
    versions, sources = set(_VERSION.findall(before)), set(_SOURCE.findall(before))
    words = {word.lower() for text in (before,) for word in re.findall(r"@?[A-Za-z][\w.@/-]*", text)}
    for line in (one for one in added if not _OF_MANIFEST.match(one)):
        bare = line if path.endswith(".json") else _COMMENT.sub("", line)
        for one in _SOURCE.findall(bare):
            if one not in sources:
                yield f"{one[:80]} was never locked here"
        for one in _VERSION.findall(_SOURCE.sub("", bare)):
            if one not in versions:
                yield f"version {one} was never locked here"
        if not is_lock(path) or path.endswith(".txt"):
            for name in _names(path, bare):
                if name not in words and name not in SECTIONS:
                    yield f"{name[:80]} was never a dependency here"


def _names(path: str, line: str) -> Iterator[str]:
    quoted = path.endswith((".toml", ".json"))
    for part in _QUOTED.findall(line) if quoted else [line]:
        if found := _NAMED.match(part):
            yield found[1].lower()

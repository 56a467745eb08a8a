"""Where the classes of well-known packages come from: the coordinates under which each library is published on Maven Central.

`published.txt` holds what the jars of Debian's Java libraries tell (made by scripts/java-packages); `manuals.txt`, by each library's
own manual, what Debian has not, or has under another name. A row is group:artifact, and the packages (or single classes) that are
its own. Where a log mentions artifacts, one of those is meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

_FAMILIES: Final = {
    "com.amazonaws.services": "com.amazonaws:aws-java-sdk-",
    "software.amazon.awssdk.services": "software.amazon.awssdk:",
}
"""Of each of whose packages an artifact of its name is published."""


@lru_cache(maxsize=4_096)
def owner(name: str) -> str:
    """The artifact that a class or package is known to come from, by the longest beginning that is known; "" for none."""
    parts = name.split(".")
    for many in range(len(parts), 0, -1):
        begin = ".".join(parts[:many])
        if begin in _owners():
            return _owners()[begin]
        if begin in _FAMILIES and many < len(parts):
            return _FAMILIES[begin] + parts[many]
    return ""


@lru_cache(maxsize=4_096)
def named(artifact: str, package: str = "") -> str:
    """The one that is published under that name, by the house that a package begins with if one is given; "" for none or several."""
    house = package.split(".")[:2]
    found = [one for one in _names().get(artifact, ()) if not package or one.split(":")[0].split(".")[:2] == house]
    return found[0] if len(found) == 1 else ""


@cache
def _owners() -> dict[str, str]:
    return {package: artifact for artifact, packages in _rows() for package in packages}


@cache
def _names() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for artifact in dict.fromkeys(artifact for artifact, _ in _rows()):
        found.setdefault(artifact.partition(":")[2], []).append(artifact)
    return found


def _rows() -> Iterator[tuple[str, list[str]]]:
    """A later row tells better."""
    for name in ("published.txt", "manuals.txt"):
        for line in files(__package__).joinpath(name).read_text().splitlines():
            artifact, *packages = line.split()
            yield artifact, packages

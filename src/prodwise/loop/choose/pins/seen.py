"""Versions that this repository has had, from the history of its lock files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prodwise.loop.changes.locks import is_lock, packages
from prodwise.loop.diagnose.logs.python_packages import canonical
from prodwise.loop.diagnose.logs.versions import newer
from prodwise.model.pin import Seen


@dataclass(frozen=True, slots=True)
class Cannot:
    """Why text alone does not do."""

    reason: str


def same(one: str, other: str) -> bool:
    """Whether two names are one package's; Python's are written in several ways."""
    return one == other or canonical(one) == canonical(other)


def version_in(path: str, text: str, package: str) -> str:
    """As the lock names it; several are joined with commas. "" when it is not there, or the file cannot be read."""
    try:
        found = packages(path, text)
    except ValueError:
        return ""
    return found.get(package) or next((version for name, version in found.items() if same(name, package)), "")


def locks_of(package: str, files: Mapping[str, str]) -> dict[str, str]:
    """Lock file → version of the package, of those that name it."""
    found = {path: version_in(path, text, package) for path, text in sorted(files.items()) if is_lock(path)}
    return {path: version for path, version in found.items() if version}


def seen(path: str, history: Iterable[tuple[str, str]], package: str) -> tuple[Seen, ...]:
    """Newest first, each version once. history: (commit, text of the lock), newest first."""
    found: dict[str, Seen] = {}
    for commit, text in history:
        version = version_in(path, text, package)
        if version:
            found.setdefault(version, Seen(version, commit))
    return tuple(found.values())


def last_good(versions: Sequence[Seen], current: str) -> Seen | None:
    """The newest commit's version that is older than the one in use: a pin goes back, never forward."""
    return next((one for one in versions if exact(one.version) and newer(current, one.version)), None)


def exact(version: str) -> bool:
    """One version, not a range and not several."""
    return bool(version) and version[0].isalnum() and not set(version) & set(" ,*<>=~^|")

"""Which services a release changed, by the paths that prodwise.toml declares for them. What is not known counts as all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from prodwise.model.delta import Touched

PLACES_MAX: Final = 20


def declared(settings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Service → paths of its own, of those that a release replaces, from a prodwise.toml as it was read; () for all of it."""
    services = settings.get("services")
    found = {}
    for name, table in services.items() if isinstance(services, Mapping) else ():
        if isinstance(table, Mapping) and not table.get("upstream"):
            paths = table.get("paths")
            own = paths if isinstance(paths, list) else []
            found[str(name)[:100]] = tuple(one.as_posix() for one in map(PurePosixPath, map(str, own)) if one.parts)
    return found


def touched(paths: Iterable[str], own: Mapping[str, Sequence[str]], elsewhere: str = "") -> Touched:
    """1. Where no service has paths of its own, all are reached; so they are by what lies in no file (elsewhere: what that is).
    2. A file that belongs to no service reaches all: a lock file at the top, say. 3. A service without paths of its own is
    reached by every file."""
    if not any(own.values()):
        return Touched()
    if elsewhere:
        return Touched(whole=elsewhere)
    services, places = {name for name, mine in own.items() if not mine}, set()
    for path in paths:
        hit = [(name, place) for name, mine in own.items() for place in mine if _within(path, place)]
        if not hit:
            return Touched(whole=f"{path[:200]} belongs to no service alone")
        services |= {name for name, _ in hit}
        places |= {place for _, place in hit}
    if not places or services == own.keys():
        return Touched(whole="something of each was changed" if places else "no file differs")
    return Touched(tuple(sorted(services)), tuple(sorted(places)[:PLACES_MAX]))


def _within(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")

"""Two states of an app compared: settings by key, the environment by name, paths that migrate data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from prodwise.loop.choose.schema import lies_among_migrations
from prodwise.model.delta import Named, Setting

SHOWN_WORDS: Final = ("stage", "kind")
"""Keys whose words are from a fixed list. Other texts may hold a secret: a command, an address, a pattern."""
KEYS_MAX, NAMES_MAX = 200, 200
_BESIDE: Final = frozenset({"__init__.py", "env.py", "migration_lock.toml", "README.md", "README", ".gitkeep"})


def settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Setting, ...]:
    """By key, "services.web.probe"; values only where they can be no secret."""
    old, new = dict(_flat(before)), dict(_flat(after))
    found = []
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            found.append(Setting(key, "added", "", _shown(key, new[key])))
        elif key not in new:
            found.append(Setting(key, "removed", _shown(key, old[key]), ""))
        elif old[key] != new[key]:
            found.append(Setting(key, "changed", _shown(key, old[key]), _shown(key, new[key])))
    return tuple(found[:KEYS_MAX])


def _flat(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        key = f"{above}{str(name)[:100]}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{key}.")
        else:
            yield key, value


def _shown(key: str, value: object) -> str:
    """Numbers, yes and no, and words of a fixed list; "" for all else. Variables of a service are never shown."""
    if ".env." in f".{key}":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, list | tuple) and value and all(type(one) in (int, float) for one in value):
        return ", ".join(f"{one:g}" for one in value[:10])
    return str(value)[:20] if isinstance(value, str) and key.rpartition(".")[2] in SHOWN_WORDS else ""


def names(before: Mapping[str, str], after: Mapping[str, str]) -> Named:
    """Name → a keyed digest of its value: which came, went, or have another value."""
    return Named(
        added=tuple(sorted(after.keys() - before.keys())[:NAMES_MAX]),
        removed=tuple(sorted(before.keys() - after.keys())[:NAMES_MAX]),
        changed=tuple(sorted(one for one in before.keys() & after.keys() if before[one] != after[one])[:NAMES_MAX]),
    )


def migrations(paths: Iterable[str]) -> tuple[str, ...]:
    """Those that lie where frameworks keep their migrations, and are none of the files that stand beside them."""
    return tuple(
        sorted(path for path in paths if lies_among_migrations(path) and PurePosixPath(path).name not in _BESIDE)
    )

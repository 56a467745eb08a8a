"""Packages of a lock that have no hash in it: what an index gives for them is taken on its word."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from prodwise.loop.choose.pins import requirements

SHOWN: Final = 3
_HASHED: Final = re.compile(r"\b(?:integrity|checksum)\b|^  linkType: soft|^  conditions:", re.MULTILINE)
_FETCHED: Final = re.compile(r"^\s+(?:resolution:|resolved )", re.MULTILINE)


def unhashed(path: str, text: str) -> tuple[str, ...]:
    """The first names, and how many more. () where all have one, and for what is no lock that is installed."""
    name = PurePosixPath(path).name
    try:
        found = sorted(set(_names(name, text)))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return ()
    more = len(found) - SHOWN
    return (*found[:SHOWN], f"{more} more") if more > 0 else tuple(found)


def _names(name: str, text: str) -> Iterator[str]:
    if name.endswith(".txt"):
        yield from requirements.unhashed(text) if not name.startswith("constraints") else ()
    elif name in ("package-lock.json", "npm-shrinkwrap.json"):
        yield from _npm(json.loads(text))
    elif name in ("yarn.lock", "pnpm-lock.yaml"):
        blocks = re.split(r"\n\s*\n", text)
        yield from (_head(one) for one in blocks if _FETCHED.search(one) and not _HASHED.search(one))
    elif name in ("poetry.lock", "pdm.lock", "uv.lock"):
        yield from (str(one["name"]) for one in tomllib.loads(text).get("package", []) if _bare(one))


def _npm(lock: dict[str, Any]) -> Iterator[str]:
    for key, one in lock.get("packages", {}).items():
        _, inside, name = key.rpartition("node_modules/")
        if inside and not one.get("link") and not one.get("integrity") and not one.get("inBundle"):
            yield name


def _head(block: str) -> str:
    """The package of an entry of a lock that is lines: its key, without the version."""
    key = next(line for line in block.strip().splitlines() if not line.startswith("#")).strip("\"'/: ")
    return key[: key.find("@", 1)] if key.find("@", 1) > 0 else key


def _bare(entry: dict[str, Any]) -> bool:
    source = entry.get("source", {})
    if {"virtual", "editable"} & set(source):
        return False
    return "hash" not in str([entry.get(key) for key in ("files", "wheels", "sdist")])

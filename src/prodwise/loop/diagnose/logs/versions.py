"""Which of two versions is the newer one, and whether a version lies in a range: roughly, for any ecosystem."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_PARTS: Final = re.compile(r"\d{1,18}|[a-z]{1,20}")
_EARLY: Final = ("a", "alpha", "b", "beta", "m", "milestone", "c", "cr", "rc", "pre", "preview", "dev", "snapshot")
_ATOM: Final = re.compile(r"(===|==|~=|!=|>=|<=|\^|~>|~|>|<|=)?\s{0,3}v?(\d[\w.+*-]{0,40})")
Key = tuple[tuple[int, ...], tuple[int, ...]]


@lru_cache(maxsize=8_192)
def key(version: str) -> Key:
    """Sorts versions: numbers as numbers, pre-releases before their release."""
    parts = _PARTS.findall(version.lower().removeprefix("v")[:80])
    words = [i for i, part in enumerate(parts) if not part.isdigit()]
    split = words[0] if words else len(parts)
    release = [int(part) for part in parts[:split]]
    while release and release[-1] == 0:
        release.pop()
    later = tuple(int(part) for part in parts[split:] if part.isdigit())
    if split < len(parts) and parts[split] in _EARLY:
        return tuple(release), (0, _EARLY.index(parts[split]), *later)
    return tuple(release), (1, *later)


def newer(one: str, other: str) -> bool:
    """True if `one` is the newer of two known versions."""
    return bool(one and other) and key(one) > key(other)


def same_major(one: str, other: str) -> bool:
    """Whether both begin with the same number."""
    return one.split(".")[0] == other.split(".")[0]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d{1,9}", version)[:4]]


def beyond(version: str, wanted: str) -> int:
    """Where a version lies beside what is asked for: 1 above it, -1 below it, 0 within or not known."""
    if not version or not version[:1].isdigit():
        return 0
    have = _numbers(version)
    above = below = False
    for sign, bound in _ATOM.findall(wanted[:200]):
        limit = _numbers(bound)
        if not limit:
            continue
        part = have[: len(limit)]
        if sign in (">=", ">"):
            below |= part < limit
        elif sign in ("<", "<="):
            above |= (part >= limit and sign == "<") or part > limit
        elif sign in ("^", "~>", "~=", "~"):
            below |= part < limit
            above |= have[:1] > limit[:1] or (sign != "^" and len(limit) > 2 and have[:2] > limit[:2])
        else:
            below |= part < limit
            above |= part > limit
    if "||" in wanted or " or " in wanted:
        return 1 if above and have > max(_numbers(b) for _, b in _ATOM.findall(wanted[:200])) else (-1 if below else 0)
    return 1 if above else -1 if below else 0


def highest(wanted: str) -> Key:
    """The upper end of a range, as far as its numbers tell: what is below a version ends just before it."""
    ends = [(key(bound), sign not in ("<", "!=")) for sign, bound in _ATOM.findall(wanted[:200])]
    (release, rest), whole = max(ends, default=(((), (0,)), True))
    return (release, rest) if whole else (release, (-1, *rest))
